// The data stand in the page: JSON as it is, or gzip in base64 where it is long.
import type { Item, Page } from './types';

const SCHEMA = 'ibakelab-page/1';

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const octets = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) octets[i] = binary.charCodeAt(i);
  return octets;
}

async function gunzip(octets: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

/** The items of the page. Throws, with a sentence for people, if there is nothing that can be shown. */
export async function loadItems(from: Document): Promise<Item[]> {
  const plain = from.getElementById('data');
  const packed = from.getElementById('data-gz');
  if (!plain && !packed) throw new Error('This page has no data in it.');
  if (!plain && typeof DecompressionStream === 'undefined')
    throw new Error('This browser cannot open compressed data (it has no DecompressionStream). A browser of 2023 or later can.');
  const text = plain ? plain.textContent! : await gunzip(fromBase64(packed!.textContent!.trim()));
  const page = JSON.parse(text) as Page;
  if (page.schema !== SCHEMA) throw new Error(`The data are ${page.schema}; this page shows ${SCHEMA}.`);
  return page.items;
}

import { Virtualizer, elementScroll, measureElement, observeElementOffset, observeElementRect } from '@tanstack/virtual-core';
import type { VirtualItem } from '@tanstack/virtual-core';
import { flushSync } from 'preact/compat';
import { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** The width of an element, kept up to date; `first` until it is known. */
export function useWidth<T extends Element>(first = 720): [RefObject<T | null>, number] {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    if (!ref.current) return;
    const look = () => ref.current && setWidth(Math.max(260, Math.floor(ref.current.getBoundingClientRect().width)));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/** True while the page is printed. What is cut to the window on the screen is then laid out whole. */
export function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const query = matchMedia('print');
    const set = (value: boolean) => flushSync(() => setPrinting(value)); // the browser lays out right after the event
    const change = () => set(query.matches);
    const begin = () => set(true);
    const end = () => set(false);
    change();
    query.addEventListener('change', change);
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      query.removeEventListener('change', change);
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
    };
  }, []);
  return printing;
}

export interface Window<T extends Element> {
  scroller: RefObject<T | null>;
  items: VirtualItem[];
  before: number; // height of what is left out above and below
  after: number;
  measure: (element: Element | null) => void;
  show: (index: number) => void;
}

/** Which of `count` rows stand in the scrolled window. With `all`, every one of them. */
export function useRows<T extends Element>(count: number, height: number, all: boolean): Window<T> {
  const scroller = useRef<T>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    enabled: !all,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    initialRect: { width: 800, height: 700 },
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    measureElement,
    onChange: () => redraw(undefined as never),
  };
  const virtual = useMemo(() => new Virtualizer<T, Element>(options as never), []);
  virtual.setOptions(options as never);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  const show = useCallback((index: number) => virtual.scrollToIndex(index, { align: 'auto' }), []);
  if (all) {
    const items = Array.from({ length: count }, (_, index) => ({ index, key: index, start: 0, end: 0, size: height, lane: 0 }));
    return { scroller, items, before: 0, after: 0, measure: () => {}, show };
  }
  const items = virtual.getVirtualItems();
  return {
    scroller,
    items,
    before: items.length ? items[0].start : 0,
    after: items.length ? virtual.getTotalSize() - items[items.length - 1].end : 0,
    measure: virtual.measureElement as (element: Element | null) => void,
    show,
  };
}

// ---- where one is in the page: #/ITEM/SECTION?call=N, #/compare/A/B, #/ ------------------------------------

export interface Route { parts: string[]; call: number | null }

export function parseRoute(hash: string): Route {
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  const call = new URLSearchParams(query ?? '').get('call');
  return { parts: path.split('/').filter(Boolean), call: call !== null && /^\d+$/.test(call) ? Number(call) : null };
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const change = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return route;
}

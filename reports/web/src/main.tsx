import { render } from 'preact';
import { App } from './app';
import { loadItems } from './data';

const root = document.getElementById('app')!;

loadItems(document).then(
  (items) => {
    root.textContent = '';
    render(<App items={items} title={document.title} />, root);
    root.dataset.ready = 'yes';
  },
  (error: Error) => {
    root.textContent = `This report cannot be shown: ${error.message}`;
    root.setAttribute('role', 'alert');
    root.dataset.ready = 'failed';
  },
);

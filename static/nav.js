// On a phone the navigation is one row that scrolls sideways: begin where the current page's
// name is in view.
export const start = () => {
  const here = document.querySelector(".top nav [aria-current]");
  const row = here?.parentElement;
  if (row && row.scrollWidth > row.clientWidth) {
    row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }
};

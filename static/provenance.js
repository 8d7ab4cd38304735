// The popover that tells where a figure came from: it waits empty for the figure that was
// asked for, instead of showing the one before.

export const start = () => {
  const body = document.querySelector("#provenance-body");
  if (!body) return;
  const waiting = [...body.childNodes];
  const isOurs = (event) => event.detail?.ctx?.target === body;
  document.addEventListener("htmx:before:request", (event) => {
    if (isOurs(event)) body.replaceChildren(...waiting.map((node) => node.cloneNode(true)));
  });
  document.addEventListener("htmx:error", (event) => {
    if (isOurs(event)) body.textContent = "The server does not answer. Open this again when it does.";
  });
};

// What the pages need beyond htmx: polls rest while the tab is hidden, and one quiet
// banner says so when the server does not answer.
(() => {
  "use strict";
  const lost = document.getElementById("lost");
  let lastContact = new Date();

  const polls = () => document.querySelectorAll("[data-poll]");
  const isPoll = (event) => event.detail?.ctx?.sourceElement?.hasAttribute?.("data-poll");

  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && isPoll(event)) event.preventDefault();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) polls().forEach((panel) => htmx.trigger(panel, "refresh"));
  });

  const answered = () => {
    lastContact = new Date();
    lost.hidden = true;
  };
  const silent = () => {
    lost.textContent = `The dashboard's server does not answer. Last contact ${lastContact.toLocaleTimeString()}; the values below are from then. Trying again.`;
    lost.hidden = false;
  };

  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.status ?? event.detail?.ctx?.response?.raw?.status;
    if (status) answered();
  });
  document.addEventListener("htmx:error", (event) => {
    if (!isPoll(event)) return;
    const status = event.detail?.ctx?.response?.status ?? event.detail?.ctx?.response?.raw?.status;
    if (!status || status >= 502) silent();
  });
})();

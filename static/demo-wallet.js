// The demo's wallet, put on window as browser wallets put theirs. It hands what a page asks
// of it to the demo's server, which holds the key and asks nobody before it signs.

const handlers = { accountsChanged: new Set(), networkChanged: new Set() };

// request is the wallet API's: it resolves to the result, or throws the wallet's error with
// its code.
const request = async ({ type, params }) => {
  const response = await fetch("/dev/wallet", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type, params }),
  });
  if (!response.ok) throw new Error(`The demo's wallet answered ${response.status}.`);
  const { result, error } = await response.json();
  if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
  return result;
};

window.starknet_bitsage_demo = {
  id: "bitsage_demo",
  name: "Demo wallet (simulated)",
  version: "1.0.0",
  icon: document.querySelector('link[rel="icon"]').href,
  request,
  on: (event, handler) => handlers[event]?.add(handler),
  off: (event, handler) => handlers[event]?.delete(handler),
};

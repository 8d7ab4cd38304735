// Package observe joins the sources into what is known of one wallet, one host and the network.
//
// A read names its Viewer, answers from a bounded cache while that is fresh, waits a bounded time
// for the database otherwise, and says why a value is missing or old. Pages, the API and every
// other reader share these reads. The package serves no HTTP, renders nothing and writes nothing.
package observe

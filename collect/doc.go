// Package collect holds the workers that keep a source up to date and outlive a request: the
// outcomes of claims, the samples of this host's GPUs, the price of SAGE, and the index of the
// contracts' events. Each reads one source and writes to the database; none answers a request,
// joins sources or renders.
package collect

package web

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// exportsRunning counts the exports that run, so that a wallet cannot take up the server with them.
type exportsRunning struct {
	// stall is how long a client may take for a part of an export, of 64 KiB, before the server
	// gives up on it.
	stall time.Duration

	mu      sync.Mutex
	all     int
	wallets map[validator.Address]int
}

// How many exports run at a time. Each holds a page of rows.
const (
	mostExports       = 8
	mostWalletExports = 2
	exportRetry       = 30 * time.Second
	exportStall       = 30 * time.Second
)

func newExportsRunning() *exportsRunning {
	return &exportsRunning{stall: exportStall, wallets: map[validator.Address]int{}}
}

// begin counts an export of a wallet's rows until end is called; refused says that it is one too many.
func (e *exportsRunning) begin(wallet validator.Address) (end func(), refused *problem) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.wallets[wallet] >= mostWalletExports:
		refused = newProblem(http.StatusTooManyRequests, fmt.Sprintf("%d exports of this wallet are running, as many as may at once. Finish or stop one, then try again.", mostWalletExports))
	case e.all >= mostExports:
		refused = newProblem(http.StatusTooManyRequests, fmt.Sprintf("%d exports are running, as many as the server makes at once. Try again in %s.", mostExports, secondsText(exportRetry)))
	}
	if refused != nil {
		refused.retryAfter = exportRetry
		return nil, refused
	}
	e.all++
	e.wallets[wallet]++
	return sync.OnceFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all--
		if e.wallets[wallet]--; e.wallets[wallet] == 0 {
			delete(e.wallets, wallet)
		}
	}), nil
}

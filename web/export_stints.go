package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// stintRows is after how many rows an export takes another turn among the requests of its wallet.
const stintRows = 500

// stints are the stretches in which an export runs. Each uses up the wallet's time as a request
// does; what a slow client takes to read is not counted.
type stints struct {
	ctx     context.Context
	running *running
	of      *walletRunning
	forget  func()

	used  func(time.Duration) // nil between two stretches
	began time.Time
	idle  time.Duration // of this stretch, waiting for the client
	rows  int
}

func (s *Server) stints(ctx context.Context, wallet validator.Address) *stints {
	of, forget := s.running.of(wallet)
	return &stints{ctx: ctx, running: s.running, of: of, forget: forget}
}

// next ends a stretch and waits for the turn of another.
func (s *stints) next() error {
	s.stop()
	used, err := s.of.pace.turn(s.ctx)
	if err != nil {
		return err
	}
	s.used, s.began, s.idle = used, time.Now(), 0
	return nil
}

func (s *stints) stop() {
	if s.used != nil {
		s.used(s.running.ran(max(0, time.Since(s.began)-s.idle)))
		s.used = nil
	}
}

func (s *stints) end() {
	s.stop()
	s.forget()
}

// pause returns a writer that takes a turn before every so many rows.
func (s *stints) pause(w exportWriter) exportWriter { return pausedRows{w, s} }

type pausedRows struct {
	exportWriter

	stints *stints
}

func (p pausedRows) row(r exportRow) error {
	if p.stints.rows%stintRows == 0 {
		if err := p.stints.next(); err != nil {
			return err
		}
	}
	p.stints.rows++
	return p.exportWriter.row(r)
}

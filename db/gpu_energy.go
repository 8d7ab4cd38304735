package db

import (
	"context"
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	energyEvery   = time.Minute
	energyLimit   = 5 * time.Minute
	energyAtATime = 2000 // hours of a GPU
)

// MeasuredEnergy sums up the energy that a worker's GPUs used on the UTC days from the first
// to the last, as far as their samples tell. Samples of the last minutes may not be in it yet.
func (s *Store) MeasuredEnergy(ctx context.Context, worker validator.Address, firstDay, lastDay time.Time) (validator.MeasuredEnergy, error) {
	first, last := utcDay(firstDay), utcDay(lastDay)
	row, err := s.q.workerEnergy(ctx, workerEnergyParams{WorkerAddress: worker, FirstDay: first, LastDay: last, Since: first, Until: last.AddDate(0, 0, 1)})
	if err != nil {
		return validator.MeasuredEnergy{}, s.fail("sum the energy of GPUs", err)
	}
	const joulesPerKWh = 3_600_000
	kWh := new(big.Rat).SetFloat64(row.Joules / joulesPerKWh)
	return validator.MeasuredEnergy{KWh: kWh, GPUs: int(row.GPUs), Covered: time.Duration(row.CoveredSeconds * float64(time.Second))}, nil
}

// rollUpGPUEnergy integrates the hours of GPUs whose samples have changed.
func (s *Store) rollUpGPUEnergy(ctx context.Context) error {
	for {
		var hours int64
		err := s.inUpkeep(ctx, func(ctx context.Context, q *Queries) (err error) {
			hours, err = q.rollUpGPUEnergy(ctx, rollUpGPUEnergyParams{Most: energyAtATime, PowerMax: int64(validator.BoundPower.High)})
			return err
		})
		if err != nil || hours < energyAtATime {
			return s.fail("sum the energy of GPUs", err)
		}
	}
}

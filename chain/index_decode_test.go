package chain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// booked are contracts at addresses of their own.
func booked() Contracts {
	at := func(n int) validator.Address { return validator.Address(fmt.Sprintf("0x%064x", n)) }
	return Contracts{ProverStaking: at(1), ReputationManager: at(2), SAGEToken: at(3), JobManager: at(4), MiningRewards: at(5), PaymentRouter: at(6)}
}

// told is what an event of a contract says, in a line.
func told(contract validator.Address, name string, keys, data []validator.Felt) string {
	e := validator.ChainEvent{Contract: contract, Keys: append([]validator.Felt{selector(name)}, keys...), Data: data}
	newEventBook(booked()).read(&e)
	switch {
	case e.Problem != "":
		return "problem: " + e.Problem
	case e.Stake != nil:
		s := e.Stake
		return fmt.Sprintf("%s %s %s %s tier %d total %s unlock %d reason %d job %q", e.Name, s.Worker.Abbreviated(), s.Kind, s.Amount, s.Tier, s.Total, unixOrZero(s.UnlockAt), s.Reason, s.JobID)
	case e.Payment != nil:
		p := e.Payment
		return fmt.Sprintf("%s %s %s job %s %s private %v at %d", e.Name, p.Worker.Abbreviated(), p.Kind, p.JobID, p.Amount, p.Private, unixOrZero(p.PaidAt))
	case e.Reputation != nil:
		r := e.Reputation
		return fmt.Sprintf("%s %s %d to %d by %d for %s job %q at %d", e.Name, r.WorkerID.Short(), r.OldScore, r.NewScore, r.Delta, r.Reason, r.JobID, unixOrZero(r.At))
	}
	return "raw " + e.Name
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func TestEveryKnownEventIsReadByItsContractAndName(t *testing.T) {
	k := booked()
	worker := feltsOf(0xa11ce)
	who := validator.Address(worker[0]).Abbreviated()
	job := feltsOf(5, 0, 0xa11ce)
	hugeJob := feltsOf(5, 1, 0xa11ce)
	largest := pow2(256)
	largest.Sub(largest, pow2(0))
	top := validator.WeiFromBig(largest)
	minus := func(n int64) validator.Felt {
		p := fieldPrime()
		return validator.Felt(fmt.Sprintf("0x%064x", p.Sub(p, validator.WeiFromInt(n).Big())))
	}
	text := shortStringFelt("job_failed")
	for _, c := range []struct {
		contract   validator.Address
		name       string
		keys, data []validator.Felt
		want       string
	}{
		{k.ProverStaking, "Staked", worker, feltsOf(validator.WeiFromInt(7), 3, top), "Staked " + who + " staked 7 tier 3 total " + top.String() + ` unlock 0 reason 0 job ""`},
		{k.ProverStaking, "UnstakeRequested", worker, feltsOf(validator.WeiFromInt(7), 1_760_000_000), "UnstakeRequested " + who + ` unstake_requested 7 tier 0 total 0 unlock 1760000000 reason 0 job ""`},
		{k.ProverStaking, "UnstakeCompleted", worker, feltsOf(validator.WeiFromInt(7)), "UnstakeCompleted " + who + ` unstake_completed 7 tier 0 total 0 unlock 0 reason 0 job ""`},
		{k.ProverStaking, "Slashed", worker, feltsOf(validator.WeiFromInt(7), 4, 42), "Slashed " + who + ` slashed 7 tier 0 total 0 unlock 0 reason 4 job "42"`},
		{k.ProverStaking, "Slashed", worker, feltsOf(validator.WeiFromInt(7), 4, 42, 0), "Slashed " + who + ` slashed 7 tier 0 total 0 unlock 0 reason 4 job "42"`},
		{k.ProverStaking, "RewardsClaimed", worker, feltsOf(top), "RewardsClaimed " + who + " rewards_claimed " + top.String() + ` tier 0 total 0 unlock 0 reason 0 job ""`},
		{k.ProverStaking, "SuccessRecorded", worker, feltsOf(42), "raw SuccessRecorded"},
		{k.JobManager, "PaymentReleased", job, feltsOf(top), "PaymentReleased " + who + " released job 5 " + top.String() + " private false at 0"},
		{k.JobManager, "PaymentReleased", hugeJob, feltsOf(1, 0), "PaymentReleased " + who + " released job 340282366920938463463374607431768211461 1 private false at 0"},
		{k.JobManager, "JobClaimed", job, feltsOf(1), "raw JobClaimed"},
		{k.PaymentRouter, "WorkerPaid", job, feltsOf(validator.WeiFromInt(9), 1, 1_760_000_000), "WorkerPaid " + who + " paid job 5 9 private true at 1760000000"},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), append(feltsOf(500, 475), minus(25), text, feltsOf(0)[0], feltsOf(42)[0], feltsOf(0)[0], feltsOf(1_760_000_000)[0]),
			`ReputationUpdated 0x9 500 to 475 by -25 for job_failed job "42" at 1760000000`},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), append(feltsOf(1000, 1000, 15), text, feltsOf(1)[0], feltsOf(1_760_000_000)[0]),
			`ReputationUpdated 0x9 1000 to 1000 by 15 for job_failed job "" at 1760000000`},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), feltsOf(1, 2, 3, 7, 1, 0), `ReputationUpdated 0x9 1 to 2 by 3 for 0x7 job "" at 0`},

		// The same name of another contract is another event.
		{k.PaymentRouter, "PaymentReleased", job, feltsOf(top), "raw "},
		{k.JobManager, "WorkerPaid", job, feltsOf(top), "raw "},
		{k.SAGEToken, "Staked", worker, feltsOf(validator.WeiFromInt(7), 3, top), "raw "},
		{k.MiningRewards, "RewardDistributed", worker, feltsOf(1, 2, 3), "raw RewardDistributed"},
		{k.ProverStaking, "NeverHeardOf", worker, nil, "raw "},

		// What makes no sense is said, and read as nothing.
		{k.ProverStaking, "Staked", worker, feltsOf(7), "problem: Staked answered 1 felts, 5 expected"},
		{k.ProverStaking, "Staked", feltsOf(1, 2), feltsOf(validator.WeiFromInt(7), 3, top), "problem: Staked has 3 keys, 2 expected"},
		{k.ProverStaking, "Staked", feltsOf(0), feltsOf(validator.WeiFromInt(7), 3, top), "problem: Staked names a worker that is no address"},
		{k.ProverStaking, "Staked", worker, feltsOf(validator.WeiFromInt(7), 9, top), "problem: Staked answered gpu_tier 0x9, which is no index below 5"},
		{k.ProverStaking, "RewardsClaimed", worker, []validator.Felt{minus(1), minus(1)}, "problem: RewardsClaimed answered amount"},
		{k.JobManager, "PaymentReleased", worker, feltsOf(top), "problem: PaymentReleased has 2 keys, 4 expected"},
		{k.JobManager, "PaymentReleased", []validator.Felt{minus(1), minus(1), worker[0]}, feltsOf(top), "problem: PaymentReleased answered job_id"},
		{k.PaymentRouter, "WorkerPaid", job, feltsOf(validator.WeiFromInt(9), 2, 0), "problem: WorkerPaid answered privacy 0x2, which is no bool"},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), append(feltsOf(1, 2), minus(1<<31+1), text, feltsOf(1)[0], feltsOf(1)[0]), "problem: ReputationUpdated answered delta"},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), feltsOf(1, 2, 3, 7, 0, 1), "problem: ReputationUpdated answered job_id"},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), feltsOf(1, 2, 3, 7, 1, 0, 0, 0), "problem: ReputationUpdated answered job_id"},
		{k.ReputationManager, "ReputationUpdated", feltsOf(9), feltsOf(1, 2, 3, 7, 1, 0, 0), "problem: ReputationUpdated answered 7 felts, 6 expected"},
	} {
		got := told(c.contract, c.name, c.keys, c.data)
		if strings.HasPrefix(c.want, "problem") { // its numbers are not repeated here
			got = got[:min(len(got), len(c.want))]
		}
		if got != c.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", c.name, c.contract.Abbreviated(), got, c.want)
		}
	}
	if got := told(k.ProverStaking, "Staked", nil, nil); got != "problem: Staked has 1 keys, 2 expected" {
		t.Errorf("without a worker: %s", got)
	}
	bare := validator.ChainEvent{Contract: k.ProverStaking}
	newEventBook(k).read(&bare)
	if bare.Name != "" || bare.Problem != "" {
		t.Errorf("an event without keys: %+v", bare)
	}
}

// TestContractsWithoutAnAddressHaveNoEvents, since no address is theirs.
func TestContractsWithoutAnAddressHaveNoEvents(t *testing.T) {
	book := newEventBook(Contracts{JobManager: booked().JobManager})
	if len(book) != 1 || len(book[booked().JobManager]) == 0 {
		t.Errorf("%d contracts are known", len(book))
	}
}

// TestADecodeNeverFailsOtherwiseThanBySaying: any felts under any known name.
func TestADecodeNeverFailsOtherwiseThanBySaying(t *testing.T) {
	k := booked()
	values := feltsOf(0, 1, 2, 4, 5, 1<<31, 1<<32, pow2(127), pow2(128), pow2(250))
	book := newEventBook(k)
	for contract, events := range book {
		for sel, known := range events {
			for keys := range 5 {
				for data := range 10 {
					for _, v := range values {
						e := validator.ChainEvent{Contract: contract, Keys: append([]validator.Felt{sel}, slices.Repeat([]validator.Felt{v}, keys)...), Data: slices.Repeat([]validator.Felt{v}, data)}
						book.read(&e)
						if told := e.Stake != nil || e.Payment != nil || e.Reputation != nil; e.Name != known.name || told && e.Problem != "" || known.read != nil && !told && e.Problem == "" {
							t.Fatalf("%s with %d keys and %d felts of %s: %+v", known.name, keys, data, v.Short(), e)
						}
					}
				}
			}
		}
	}
}

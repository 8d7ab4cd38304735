package chain

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// knownEvent is an event of a contract by its name, and how what it tells is read; nil for
// one that is only known by name, and kept as it is.
type knownEvent struct {
	name string
	read func(*validator.ChainEvent) error
}

// eventBook knows events by the contract that emits them and their selector: the same
// selector stands for different events of different contracts.
type eventBook map[validator.Address]map[validator.Felt]knownEvent

// newEventBook lists the events of each contract by their names.
func newEventBook(k Contracts) eventBook {
	book := make(eventBook)
	put := func(contract validator.Address, read func(*validator.ChainEvent) error, names ...string) {
		if contract == "" {
			return
		}
		if book[contract] == nil {
			book[contract] = make(map[validator.Felt]knownEvent)
		}
		for _, name := range names {
			book[contract][selector(name)] = knownEvent{name, read}
		}
	}
	put(k.ProverStaking, readStakeEvent, stakeEventNames()...)
	put(k.ProverStaking, nil, "SuccessRecorded", "ConfigUpdated")
	put(k.ReputationManager, readReputationUpdated, "ReputationUpdated")
	put(k.ReputationManager, nil, "ReputationInitialized", "AdminAdjusted")
	put(k.JobManager, readPaymentReleased, "PaymentReleased")
	put(k.JobManager, nil, "JobSubmitted", "JobClaimed", "JobAssigned", "JobCompleted", "JobCancelled", "JobPaymentRegistered", "WorkerRegistered")
	put(k.PaymentRouter, readWorkerPaid, "WorkerPaid")
	put(k.MiningRewards, nil, "RewardDistributed", "DailyCapReached")
	return book
}

// event makes of a numbered event what is stored of it.
func (b eventBook) event(e emittedEvent) validator.ChainEvent {
	ev := validator.ChainEvent{
		Contract: e.contract, Block: e.block, TxHash: e.tx, Index: e.index, Place: validator.EventPlace(e.txIndex, e.index), Keys: e.keys, Data: e.data,
	}
	b.read(&ev)
	return ev
}

// read names an event and reads what it tells. Felts that make no sense are a problem of
// that one event, which is kept with them.
func (b eventBook) read(e *validator.ChainEvent) {
	if len(e.Keys) == 0 {
		return
	}
	known, ok := b[e.Contract][e.Keys[0]]
	if !ok {
		return
	}
	e.Name = known.name
	if known.read == nil {
		return
	}
	if err := known.read(e); err != nil {
		e.Problem = known.name + " " + err.Error()
		e.Stake, e.Payment, e.Reputation = nil, nil, nil
	}
}

// wantKeys checks how many keys an event has, its selector included.
func wantKeys(e *validator.ChainEvent, n int) error {
	if len(e.Keys) != n {
		return fmt.Errorf("has %d keys, %d expected", len(e.Keys), n)
	}
	return nil
}

// workerKey reads the key that names a worker's wallet.
func workerKey(f validator.Felt) (validator.Address, error) {
	a, err := validator.ParseAddress(string(f))
	if err != nil {
		return "", errors.New("names a worker that is no address")
	}
	return a, nil
}

func readStakeEvent(e *validator.ChainEvent) error {
	if err := wantKeys(e, 2); err != nil {
		return err
	}
	worker, err := workerKey(e.Keys[1])
	if err != nil {
		return err
	}
	v, err := decodeStakeEventData(e.Name, e.Data)
	if err != nil {
		return err
	}
	if v.JobID != "" {
		n, ok := new(big.Int).SetString(v.JobID, 0)
		if !ok {
			return errors.New("tells a job that is no number")
		}
		v.JobID = n.String()
	}
	v.Block, v.TxHash = e.Block, e.TxHash
	e.Stake = &validator.WorkerStakeEvent{Worker: worker, StakeEvent: v}
	return nil
}

// jobKeys reads the keys of an event about a job and its worker: the job's number as u256,
// then the worker's wallet.
func jobKeys(e *validator.ChainEvent) (jobID string, worker validator.Address, err error) {
	if err := wantKeys(e, 4); err != nil {
		return "", "", err
	}
	job, err := decodeExactly(e.Keys[1:3], 2, func(d *decoder) validator.Wei { return d.u256("job_id") })
	if err != nil {
		return "", "", err
	}
	worker, err = workerKey(e.Keys[3])
	return job.String(), worker, err
}

// readPaymentReleased reads JobManager's PaymentReleased. Another contract's event of this
// name tells other things.
func readPaymentReleased(e *validator.ChainEvent) error {
	job, worker, err := jobKeys(e)
	if err != nil {
		return err
	}
	amount, err := decodeU256(e.Data)
	if err != nil {
		return err
	}
	e.Payment = &validator.ChainPayment{Kind: validator.PaymentReleased, JobID: job, Worker: worker, Amount: amount}
	return nil
}

// readWorkerPaid reads PaymentRouter's WorkerPaid: amount, whether it is private, timestamp.
func readWorkerPaid(e *validator.ChainEvent) error {
	const felts = 4
	job, worker, err := jobKeys(e)
	if err != nil {
		return err
	}
	paid, err := decodeExactly(e.Data, felts, func(d *decoder) validator.ChainPayment {
		return validator.ChainPayment{
			Kind: validator.PaymentPaid, JobID: job, Worker: worker,
			Amount: d.u256("amount"), Private: d.boolean("privacy"), PaidAt: d.time("timestamp"),
		}
	})
	if err != nil {
		return err
	}
	e.Payment = &paid
	return nil
}

// readReputationUpdated reads ReputationUpdated: the scores, the change, its reason, the
// job if there is one, and the time.
func readReputationUpdated(e *validator.ChainEvent) error {
	const withoutJob, withJob = 6, 8
	if err := wantKeys(e, 2); err != nil {
		return err
	}
	want := withoutJob
	if len(e.Data) == withJob {
		want = withJob
	}
	change, err := decodeExactly(e.Data, want, func(d *decoder) validator.ReputationChange {
		c := validator.ReputationChange{WorkerID: e.Keys[1], OldScore: d.u32("old_score"), NewScore: d.u32("new_score"), Delta: d.i32("delta")}
		c.Reason = d.word()
		// Option: 0 and the value, or 1 for none.
		if none := d.boolean("job_id"); none != (want == withoutJob) {
			d.fail("job_id", big.NewInt(int64(len(e.Data))), "no Option of a u256")
		} else if !none {
			c.JobID = d.u256("job_id").String()
		}
		c.At = d.time("timestamp")
		return c
	})
	if err != nil {
		return err
	}
	e.Reputation = &change
	return nil
}

// i32 reads a signed number, as Cairo writes it: -1 is the field's prime less 1.
func (d *decoder) i32(field string) int64 {
	v := d.next()
	if v.BitLen() > 32 {
		v = new(big.Int).Sub(v, fieldPrime())
	}
	if !v.IsInt64() || v.Int64() != int64(int32(v.Int64())) {
		d.fail(field, v, "no i32")
		return 0
	}
	return v.Int64()
}

// word reads a felt as the text that it packs, or as the number that it is.
func (d *decoder) word() string {
	v := d.next()
	f, err := validator.FeltFromBig(v)
	if err != nil {
		return ""
	}
	if s, ok := shortString(f); ok {
		return s
	}
	return f.Short()
}

// fieldPrime is 2^251 + 17·2^192 + 1, the modulus of Starknet's field.
func fieldPrime() *big.Int {
	const highBit, middle, middleBit = 251, 17, 192
	p := new(big.Int).Lsh(big.NewInt(1), highBit)
	p.Add(p, new(big.Int).Lsh(big.NewInt(middle), middleBit))
	return p.Add(p, big.NewInt(1))
}

package validator

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// PaymentState is what the two sides say of a job's payment, whatever the time and however
// far the chain's events are known. The database keeps it.
type PaymentState string

// The states. A job's payment on chain is what PaymentRouter paid for it, net of fees, if it
// emitted any payment; else what JobManager released. Several events of a job are one
// payment, their sum. In the database it is the payment of a completed job.
const (
	PaymentsMatch      PaymentState = "matched"    // both sides have the same amount
	PaymentsDiffer     PaymentState = "different"  // both have one, and not the same
	PaymentUnpaid      PaymentState = "unpaid"     // the database has one, the chain none
	PaymentUnrecorded  PaymentState = "unrecorded" // the chain has one, the database none
	PaymentHidden      PaymentState = "hidden"     // the chain has one and keeps its amount private
	PaymentUnnumbered  PaymentState = "unnumbered" // the database has one, of a job that no contract can know
	PaymentNothingDue  PaymentState = "free"       // the database has an amount of zero, the chain none
	paymentNothingLeft PaymentState = "none"
)

// ReconcileClass says what came of comparing the database with the chain.
type ReconcileClass string

// The classes. Only what the index of events has covered can be missing on chain.
const (
	ClassMatched           ReconcileClass = "matched"
	ClassDifferent         ReconcileClass = "different_amount"
	ClassMissingOnChain    ReconcileClass = "missing_on_chain"
	ClassMissingInDatabase ReconcileClass = "missing_in_database"
	ClassAwaited           ReconcileClass = "awaited"        // so new that the other side may still come
	ClassNotComparable     ReconcileClass = "not_comparable" // no amount, or no number, to compare by
	ClassNotKnown          ReconcileClass = "not_known_yet"  // in blocks that the index has not read
)

// ReconcileClasses lists every class, those that need a look first.
var ReconcileClasses = []ReconcileClass{ClassDifferent, ClassMissingOnChain, ClassMissingInDatabase, ClassMatched, ClassAwaited, ClassNotComparable, ClassNotKnown}

// Differs says whether the two sides disagree.
func (c ReconcileClass) Differs() bool {
	return c == ClassDifferent || c == ClassMissingOnChain || c == ClassMissingInDatabase
}

// Comparable says whether what the chain has of such a payment is known, be it nothing.
func (c ReconcileClass) Comparable() bool { return c != ClassNotComparable && c != ClassNotKnown }

// PaymentGrace is how long after one side the other may come: a payment is released after
// the job was completed, and the database may learn of it later than the chain.
const PaymentGrace = 10 * time.Minute

// JobPayment is a job's payment on both sides.
type JobPayment struct {
	Job string // the contract's number in decimal; the identifier itself if that is no number

	Recorded Wei       // the sum of the payments of the database's jobs
	Jobs     int64     // how many there are: completed, of this number and worker, with a known payment
	Ended    time.Time // when the job was completed; the mean of several; zero without one

	Released  Wei       // the sum of JobManager's PaymentReleased
	Releases  int64     // how many there are
	Paid      Wei       // the sum of PaymentRouter's WorkerPaid
	Payments  int64     // how many there are
	Hidden    int64     // of them, private ones that tell no amount
	EventTime time.Time // the time of the events' blocks; the mean of several; zero without one
}

// OnChain is what the worker got according to the chain: net of fees, where that is known.
func (p JobPayment) OnChain() Wei {
	if p.Payments > 0 {
		return p.Paid
	}
	return p.Released
}

// HasChain reports whether the chain has the payment at all.
func (p JobPayment) HasChain() bool { return p.Releases+p.Payments > 0 }

// At is when the payment became due: the job's end, else the time of the chain's events.
func (p JobPayment) At() time.Time {
	if p.Jobs > 0 {
		return p.Ended
	}
	return p.EventTime
}

// With is the payment with the events of the chain added to it.
func (p JobPayment) With(events []PaymentEvent) JobPayment {
	seconds := int64(0)
	for _, e := range events {
		if e.Kind == PaymentReleased {
			p.Releases, p.Released = p.Releases+1, p.Released.Add(e.Amount)
		} else {
			p.Payments, p.Paid = p.Payments+1, p.Paid.Add(e.Amount)
			if e.Private && e.Amount.Sign() == 0 {
				p.Hidden++
			}
		}
		seconds += e.Block.Time.Unix()
	}
	if n := int64(len(events)); n > 0 {
		p.EventTime = time.Unix(seconds/n, 0).UTC()
	}
	return p
}

// State compares the two sides.
func (p JobPayment) State() PaymentState {
	_, numbered := JobNumber(p.Job)
	switch {
	case p.Jobs == 0 && !p.HasChain():
		return paymentNothingLeft
	case p.Jobs == 0:
		return PaymentUnrecorded
	case !p.HasChain() && p.Recorded.Sign() == 0:
		return PaymentNothingDue
	case !p.HasChain() && !numbered:
		return PaymentUnnumbered
	case !p.HasChain():
		return PaymentUnpaid
	case p.Hidden > 0:
		return PaymentHidden
	case p.Recorded.Equal(p.OnChain()):
		return PaymentsMatch
	}
	return PaymentsDiffer
}

// maxJobDigits is the length of 2^256 in hex digits.
const maxJobDigits = 64

// JobNumber is a job's identifier as the contracts have it: a number below 2^256, written in
// decimal. Identifiers may be decimal, or hex after 0x; ok is false for any other.
func JobNumber(id string) (number string, ok bool) {
	digits, base := id, 10
	if strings.HasPrefix(id, "0x") || strings.HasPrefix(id, "0X") {
		digits, base = id[2:], 16
	}
	for _, c := range digits {
		isDigit := c >= '0' && c <= '9' || base == 16 && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')
		if !isDigit {
			return "", false
		}
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || n.BitLen() > 4*maxJobDigits {
		return "", false
	}
	return n.String(), true
}

// JobSpellings are the usual ways in which the database may write a job's number.
func JobSpellings(number string) []string {
	n, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return []string{number}
	}
	hex := n.Text(16)
	return []string{number, "0x" + hex, "0x" + strings.Repeat("0", max(maxJobDigits-len(hex), 0)) + hex}
}

// EventCoverage is the stretch of the chain whose events of some contracts are all known.
type EventCoverage struct {
	From Block  // the first block of it; its Hash is not known
	Of   string // the contract that begins there, the last to begin
	To   Block  // the last block of it
	// Waiting is the time of the oldest block with events of a wallet that are known and not
	// compared with the database yet; zero if all are.
	Waiting time.Time
}

// Compared is the time up to which all events are compared with the database.
func (c EventCoverage) Compared() time.Time {
	if !c.Waiting.IsZero() && c.Waiting.Before(c.To.Time) {
		return c.Waiting
	}
	return c.To.Time
}

// Lags says whether the events are compared so far behind that what is new is not known yet,
// rather than on its way.
func (c EventCoverage) Lags(now time.Time) bool { return now.Sub(c.Compared()) > PaymentGrace }

// IndexedContract is a contract whose events the index is to read.
type IndexedContract struct {
	Name    string
	Address Address // "" if none is configured
}

// Coverage says which blocks' events of contracts are known: of those that have an address,
// all. Without any of them nothing can be known.
func (x ChainIndex) Coverage(contracts ...IndexedContract) Maybe[EventCoverage] {
	var c EventCoverage
	var names []string
	found := false
	for _, k := range contracts {
		names = append(names, k.Name)
		if k.Address == "" {
			continue
		}
		at := x.cursor(k.Address)
		switch {
		case at == nil && x.Failure != "":
			return None[EventCoverage](x.Failure)
		case at == nil, at.Done == nil, at.FirstTime.IsZero():
			return None[EventCoverage]("the events of " + k.Name + " have not been read yet")
		}
		if !found || at.First > c.From.Number {
			c.From, c.Of = Block{Number: at.First, Time: at.FirstTime}, k.Name
		}
		if !found || at.Done.Number < c.To.Number {
			c.To = *at.Done
		}
		found = true
	}
	if !found {
		return None[EventCoverage]("no address of " + strings.Join(names, " or ") + " is configured, so no payment on chain is known")
	}
	return Some(c)
}

func (x ChainIndex) cursor(contract Address) *IndexCursor {
	for i := range x.Cursors {
		if x.Cursors[i].Contract == contract {
			return &x.Cursors[i]
		}
	}
	return nil
}

// PaymentWindow is a stretch of time in which payments of one state are of one class: from
// From on, and before To.
type PaymentWindow struct {
	State    PaymentState
	From, To time.Time // zero: without a bound
}

// Windows says which payments are of a class, as the events are known at a time. A class may
// have none.
func (c ReconcileClass) Windows(known Maybe[EventCoverage], now time.Time) []PaymentWindow {
	fresh := now.Add(-PaymentGrace)
	cover, has := known.Get()
	behind := cover.Compared().Add(-PaymentGrace) // what ended later may be paid in blocks to come
	if behind.Before(cover.From.Time) {
		behind = cover.From.Time
	}
	switch c {
	case ClassMatched:
		return []PaymentWindow{{State: PaymentsMatch}}
	case ClassDifferent:
		return []PaymentWindow{{State: PaymentsDiffer}}
	case ClassNotComparable:
		return []PaymentWindow{{State: PaymentHidden}, {State: PaymentUnnumbered}}
	case ClassMissingInDatabase:
		return []PaymentWindow{{State: PaymentUnrecorded, To: fresh}}
	case ClassMissingOnChain:
		if has {
			return []PaymentWindow{{State: PaymentUnpaid, From: cover.From.Time, To: behind}}
		}
	case ClassAwaited:
		out := []PaymentWindow{{State: PaymentUnrecorded, From: fresh}}
		if has && !cover.Lags(now) {
			out = append(out, PaymentWindow{State: PaymentUnpaid, From: behind})
		}
		return out
	case ClassNotKnown:
		switch {
		case !has:
			return []PaymentWindow{{State: PaymentUnpaid}}
		case cover.Lags(now):
			return []PaymentWindow{{State: PaymentUnpaid, To: cover.From.Time}, {State: PaymentUnpaid, From: behind}}
		}
		return []PaymentWindow{{State: PaymentUnpaid, To: cover.From.Time}}
	}
	return nil
}

// holds says whether a time lies in the window.
func (w PaymentWindow) holds(t time.Time) bool {
	return (w.From.IsZero() || !t.Before(w.From)) && (w.To.IsZero() || t.Before(w.To))
}

// ClassOf says what comes of comparing a job's payment; ok is false where there is nothing
// to compare, since nothing was due.
func ClassOf(p JobPayment, known Maybe[EventCoverage], now time.Time) (class ReconcileClass, ok bool) {
	state := p.State()
	for _, c := range ReconcileClasses {
		for _, w := range c.Windows(known, now) {
			if w.State == state && w.holds(p.At()) {
				return c, true
			}
		}
	}
	return "", false
}

// Why says in a sentence why a job's payment is of a class, where that needs saying.
func (p JobPayment) Why(class ReconcileClass, known Maybe[EventCoverage]) string {
	cover, has := known.Get()
	switch class {
	case ClassMatched:
		if p.Payments == 0 {
			return "Compared with what JobManager released: PaymentRouter emitted no payment."
		}
	case ClassDifferent:
		return p.whyDifferent()
	case ClassMissingOnChain:
		if !cover.Waiting.IsZero() {
			return fmt.Sprintf("No event before %s UTC tells of a payment for it to this wallet. Later ones are still being compared.", cover.Compared().UTC().Format(time.DateTime))
		}
		return fmt.Sprintf("No event in the blocks up to %s tells of a payment for it to this wallet.", Grouped(cover.To.Number))
	case ClassMissingInDatabase:
		return "The database has no completed job of this number with a payment to this wallet."
	case ClassAwaited:
		if p.Jobs == 0 {
			return "The chain's event has just arrived."
		}
		return fmt.Sprintf("The job was completed less than %s before the last block whose events are known.", Ago(PaymentGrace))
	case ClassNotComparable:
		if p.Hidden > 0 {
			return "It was paid privately: the amount is hidden."
		}
		return "Its identifier is no number below 2^256, so no contract can have paid for it."
	case ClassNotKnown:
		switch {
		case !has:
			return Sentence(known.Reason())
		case p.At().Before(cover.From.Time):
			return fmt.Sprintf("The job was completed before block %s, from which on %s's events are read.", Grouped(cover.From.Number), cover.Of)
		case !cover.Waiting.IsZero():
			return "Payments are still being compared."
		}
		return fmt.Sprintf("Events are known up to block %s only, and a payment may be in a later one.", Grouped(cover.To.Number))
	}
	return ""
}

func (p JobPayment) whyDifferent() string {
	switch {
	case p.Jobs > 1:
		return fmt.Sprintf("The database has %s jobs of this number, and their payments add up.", Grouped(p.Jobs))
	case p.Payments > 0 && p.Releases > 0 && p.Recorded.Equal(p.Released):
		return "The database has what was released, and the worker was paid that less fees."
	case p.Recorded.Cmp(p.OnChain()) > 0:
		return "The chain has less than the database."
	}
	return "The chain has more than the database."
}

// ReconcileSum adds up the payments of a class.
type ReconcileSum struct {
	Jobs     int64
	Recorded Wei // by the database
	OnChain  Wei
	Short    Wei // what the chain has less than the database, of the jobs of which it has less
}

// Over is what the chain has more than the database, of the jobs of which it has more.
func (s ReconcileSum) Over() Wei { return s.OnChain.Sub(s.Recorded).Add(s.Short) }

// Plus adds two sums.
func (s ReconcileSum) Plus(x ReconcileSum) ReconcileSum {
	return ReconcileSum{s.Jobs + x.Jobs, s.Recorded.Add(x.Recorded), s.OnChain.Add(x.OnChain), s.Short.Add(x.Short)}
}

// Minus takes a sum away.
func (s ReconcileSum) Minus(x ReconcileSum) ReconcileSum {
	return ReconcileSum{s.Jobs - x.Jobs, s.Recorded.Sub(x.Recorded), s.OnChain.Sub(x.OnChain), s.Short.Sub(x.Short)}
}

// PaymentContracts are the contracts whose events a reconciliation goes by; "" for one that
// is not configured.
type PaymentContracts struct {
	JobManager, PaymentRouter, ProverStaking Address
}

// PaymentCoverage is the stretch of the chain in which every payment for a job is known.
func (k PaymentContracts) PaymentCoverage(x ChainIndex) Maybe[EventCoverage] {
	return x.Coverage(IndexedContract{"JobManager", k.JobManager}, IndexedContract{"PaymentRouter", k.PaymentRouter})
}

// ClaimCoverage is the stretch of the chain in which every claim is known.
func (k PaymentContracts) ClaimCoverage(x ChainIndex) Maybe[EventCoverage] {
	return x.Coverage(IndexedContract{"ProverStaking", k.ProverStaking})
}

// Reconciliation compares all payments and claims of a wallet with the chain.
type Reconciliation struct {
	Coverage Maybe[EventCoverage] // of payments
	Head     *Block               // the chain's newest when the index was last brought up to date
	Payments map[ReconcileClass]ReconcileSum
	// WaitingSince is about when the oldest change of jobs or payments, of any wallet, was made
	// that is not compared yet; nil if all are.
	WaitingSince *time.Time

	ClaimCoverage Maybe[EventCoverage]
	Claims        []ReconciledClaim // newest first
}

// Differing counts the payments and claims on which the two sides disagree.
func (r Reconciliation) Differing() (n int64) {
	for _, c := range ReconcileClasses {
		if c.Differs() {
			n += r.Payments[c].Jobs
		}
	}
	for _, c := range r.Claims {
		if c.Class.Differs() {
			n++
		}
	}
	return n
}

// Sum adds up the payments of a class. Without any, and before the events of payments are
// read, it is missing: only what the database has of its own can be said to be not known yet.
func (r Reconciliation) Sum(c ReconcileClass) Maybe[ReconcileSum] {
	sum := r.Payments[c]
	if !r.Coverage.Known() && sum.Jobs == 0 && c != ClassNotKnown {
		return None[ReconcileSum](r.Coverage.Reason())
	}
	return Some(sum)
}

// KnownDiffering is Differing; missing if nothing differs and the events of payments or of
// claims, by which it would be seen, are not read.
func (r Reconciliation) KnownDiffering() Maybe[int64] {
	n := r.Differing()
	switch {
	case n > 0:
	case !r.Coverage.Known():
		return None[int64](r.Coverage.Reason())
	case !r.ClaimCoverage.Known():
		return None[int64](r.ClaimCoverage.Reason())
	}
	return Some(n)
}

// PaymentEvent is an event of a payment.
type PaymentEvent struct {
	Kind    PaymentKind
	Amount  Wei
	Private bool
	Block   Block
	TxHash  Felt
}

// JobOfPayment is a row of jobs behind a payment.
type JobOfPayment struct {
	ID      string
	Status  JobStatus
	Payment *Wei

	SelfReported bool // only the worker itself tells of it
}

// ReconciledPayment is a job's payment with what is behind both sides.
type ReconciledPayment struct {
	JobPayment

	Rows   []JobOfPayment // of the wallet and of that number; not only those that count
	Events []PaymentEvent // oldest first
}

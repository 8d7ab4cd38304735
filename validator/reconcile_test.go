package validator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var comparedAt = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

// covering is an index that has read blocks 100, a day ago, to 200, made some time before.
func covering(behind time.Duration) Maybe[EventCoverage] {
	return Some(EventCoverage{From: Block{Number: 100, Time: comparedAt.Add(-24 * time.Hour)}, Of: "PaymentRouter", To: Block{Number: 200, Time: comparedAt.Add(-behind)}})
}

// comparing is an index that has read it all, of which events since a while ago are not compared yet.
func comparing(ago time.Duration) Maybe[EventCoverage] {
	c, _ := covering(time.Second).Get()
	c.Waiting = comparedAt.Add(-ago)
	return Some(c)
}

func TestWhatComesOfComparingAPayment(t *testing.T) {
	recorded := func(ago time.Duration, amount int64) JobPayment {
		return JobPayment{Job: "7", Jobs: 1, Recorded: WeiFromInt(amount), Ended: comparedAt.Add(-ago)}
	}
	released := func(amount int64, ago time.Duration) PaymentEvent {
		return PaymentEvent{Kind: PaymentReleased, Amount: WeiFromInt(amount), Block: Block{Time: comparedAt.Add(-ago)}}
	}
	paid := func(amount int64, ago time.Duration) PaymentEvent {
		e := released(amount, ago)
		e.Kind = PaymentPaid
		return e
	}
	private := func(amount int64) PaymentEvent {
		e := paid(amount, time.Hour)
		e.Private = true
		return e
	}
	named := recorded(time.Hour, 80)
	named.Job = "job-7"
	twice := recorded(time.Hour, 160)
	twice.Jobs = 2
	for name, c := range map[string]struct {
		p      JobPayment
		events []PaymentEvent
		known  Maybe[EventCoverage]
		want   string // the class and the beginning of the reason; "" for nothing to compare
	}{
		"paid net of fees":               {recorded(time.Hour, 80), []PaymentEvent{released(100, time.Hour), paid(80, time.Hour)}, covering(time.Second), "matched"},
		"paid in parts":                  {recorded(time.Hour, 80), []PaymentEvent{paid(50, time.Hour), paid(30, time.Minute)}, covering(time.Second), "matched"},
		"released, and no router":        {recorded(time.Hour, 100), []PaymentEvent{released(60, time.Hour), released(40, time.Hour)}, covering(time.Second), "matched Compared with what JobManager released"},
		"matched without an index":       {recorded(time.Hour, 80), []PaymentEvent{paid(80, time.Hour)}, None[EventCoverage]("no"), "matched"},
		"less":                           {recorded(time.Hour, 80), []PaymentEvent{released(100, time.Hour), paid(79, time.Hour)}, covering(time.Second), "different_amount The chain has less"},
		"more":                           {recorded(time.Hour, 80), []PaymentEvent{paid(81, time.Hour)}, covering(time.Second), "different_amount The chain has more"},
		"gross in the database":          {recorded(time.Hour, 100), []PaymentEvent{released(100, time.Hour), paid(80, time.Hour)}, covering(time.Second), "different_amount The database has what was released"},
		"twice in the database":          {twice, []PaymentEvent{paid(80, time.Hour)}, covering(time.Second), "different_amount The database has 2 jobs"},
		"paid privately, amount known":   {recorded(time.Hour, 80), []PaymentEvent{private(80)}, covering(time.Second), "matched"},
		"paid privately, amount hidden":  {recorded(time.Hour, 80), []PaymentEvent{released(100, time.Hour), private(0)}, covering(time.Second), "not_comparable It was paid privately"},
		"a part of it hidden":            {recorded(time.Hour, 80), []PaymentEvent{paid(80, time.Hour), private(0)}, covering(time.Second), "not_comparable It was paid privately"},
		"no number":                      {named, nil, covering(time.Second), "not_comparable Its identifier is no number"},
		"nothing due":                    {recorded(time.Hour, 0), nil, covering(time.Second), ""},
		"nothing on either side":         {JobPayment{Job: "7"}, nil, covering(time.Second), ""},
		"zero in the database, and paid": {recorded(time.Hour, 0), []PaymentEvent{paid(80, time.Hour)}, covering(time.Second), "different_amount The chain has more"},
		"missing":                        {recorded(time.Hour, 80), nil, covering(time.Second), "missing_on_chain No event in the blocks up to 200"},
		"missing to the moment":          {recorded(PaymentGrace+time.Minute+time.Microsecond, 80), nil, covering(time.Minute), "missing_on_chain"},
		"awaited":                        {recorded(PaymentGrace+time.Minute, 80), nil, covering(time.Minute), "awaited The job was completed less than 10 min"},
		"ended after the last block":     {recorded(-time.Second, 80), nil, covering(time.Minute), "awaited"},
		"the index is behind":            {recorded(time.Hour, 80), nil, covering(55 * time.Minute), "not_known_yet Events are known up to block 200 only"},
		"its event may wait":             {recorded(time.Hour, 80), nil, comparing(55 * time.Minute), "not_known_yet Payments are still being compared."},
		"only later events wait":         {recorded(time.Hour, 80), nil, comparing(time.Minute), "missing_on_chain No event before 2026-11-20 14:59:00 UTC tells"},
		"awaited, and an event waits":    {recorded(5*time.Minute, 80), nil, comparing(10 * time.Second), "awaited"},
		"of before the first block":      {recorded(25*time.Hour, 80), nil, covering(time.Second), "not_known_yet The job was completed before block 100, from which on PaymentRouter's"},
		"of the first block":             {recorded(24*time.Hour, 80), nil, covering(time.Second), "missing_on_chain"},
		"no contract":                    {recorded(time.Hour, 80), nil, PaymentContracts{}.PaymentCoverage(ChainIndex{}), "not_known_yet No address of JobManager or PaymentRouter is configured"},
		"an index that has just begun":   {recorded(time.Hour, 80), nil, Some(EventCoverage{From: Block{Number: 199, Time: comparedAt.Add(-time.Minute)}, Of: "JobManager", To: Block{Number: 200, Time: comparedAt}}), "not_known_yet The job was completed before block 199"},
		"on chain only":                  {JobPayment{Job: "7"}, []PaymentEvent{released(100, time.Hour), paid(80, time.Hour)}, covering(time.Second), "missing_in_database The database has no completed job"},
		"on chain only, just now":        {JobPayment{Job: "7"}, []PaymentEvent{paid(80, time.Minute)}, covering(time.Second), "awaited The chain's event has just arrived"},
	} {
		p := c.p.With(c.events)
		class, ok := ClassOf(p, c.known, comparedAt)
		got := strings.TrimSpace(string(class) + " " + p.Why(class, c.known))
		if ok != (c.want != "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestEveryPaymentIsOfOneClass at most, whatever the time.
func TestEveryPaymentIsOfOneClass(t *testing.T) {
	states := []PaymentState{PaymentsMatch, PaymentsDiffer, PaymentUnpaid, PaymentUnrecorded, PaymentHidden, PaymentUnnumbered, PaymentNothingDue}
	for _, known := range []Maybe[EventCoverage]{None[EventCoverage](""), covering(time.Second), covering(time.Hour), covering(25 * time.Hour), comparing(time.Minute), comparing(time.Hour), comparing(26 * time.Hour)} {
		for _, state := range states {
			for at := comparedAt.Add(-30 * time.Hour); at.Before(comparedAt.Add(time.Hour)); at = at.Add(time.Minute) {
				var in []ReconcileClass
				for _, c := range ReconcileClasses {
					for _, w := range c.Windows(known, comparedAt) {
						if w.State == state && w.holds(at) {
							in = append(in, c)
						}
					}
				}
				if want := 1; state != PaymentNothingDue && len(in) != want {
					t.Fatalf("%s at %s is of %v", state, at, in)
				}
			}
		}
	}
}

func TestWhatIsKnownOfTheChain(t *testing.T) {
	cursor := func(address string, first, done uint64) IndexCursor {
		c := IndexCursor{Contract: Address(address), Name: address, First: first, FirstTime: comparedAt.Add(time.Duration(first) * time.Minute)}
		if done > 0 {
			c.Done = &Block{Number: done}
		}
		return c
	}
	undated := cursor("router", 5, 9)
	undated.FirstTime = time.Time{}
	both := PaymentContracts{JobManager: "manager", PaymentRouter: "router"}
	for name, c := range map[string]struct {
		contracts PaymentContracts
		index     ChainIndex
		want      string
	}{
		"the later beginning and the earlier end": {both, ChainIndex{Cursors: []IndexCursor{cursor("manager", 3, 8), cursor("router", 5, 9), cursor("other", 7, 7)}}, "5 of PaymentRouter to 8"},
		"one contract":           {PaymentContracts{JobManager: "manager"}, ChainIndex{Cursors: []IndexCursor{cursor("manager", 3, 8), cursor("router", 5, 6)}}, "3 of JobManager to 8"},
		"one that is not there":  {both, ChainIndex{Cursors: []IndexCursor{cursor("manager", 3, 8)}}, "the events of PaymentRouter have not been read yet"},
		"one that is to begin":   {both, ChainIndex{Cursors: []IndexCursor{cursor("manager", 3, 8), cursor("router", 5, 0)}}, "the events of PaymentRouter have not been read yet"},
		"one whose age is open":  {both, ChainIndex{Cursors: []IndexCursor{cursor("manager", 3, 8), undated}}, "the events of PaymentRouter have not been read yet"},
		"why it cannot be there": {both, ChainIndex{Failure: "The node is away."}, "The node is away."},
		"none":                   {PaymentContracts{}, ChainIndex{Failure: "The node is away."}, "no address of JobManager or PaymentRouter is configured, so no payment on chain is known"},
	} {
		got := c.contracts.PaymentCoverage(c.index)
		text := got.Reason()
		if v, ok := got.Get(); ok {
			text = fmt.Sprintf("%d of %s to %d", v.From.Number, v.Of, v.To.Number)
		}
		if text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

func TestWhatComesOfComparingAClaim(t *testing.T) {
	five, six := WeiFromInt(5), WeiFromInt(6)
	block := func(n uint64) *uint64 { return &n }
	confirmed := Claim{Kind: RewardStaking, Status: ClaimConfirmed, Amount: &five, TxHash: "0x1", BlockNumber: block(150), At: comparedAt.Add(-time.Hour)}
	with := func(change func(*Claim)) []Claim {
		c := confirmed
		change(&c)
		return []Claim{c}
	}
	event := []ClaimEvents{{TxHash: "0x1", Amount: five, Block: Block{Number: 150, Time: comparedAt.Add(-time.Hour)}}}
	for name, c := range map[string]struct {
		claims []Claim
		events []ClaimEvents
		known  Maybe[EventCoverage]
		want   string
	}{
		"the same":                {[]Claim{confirmed}, event, covering(0), "matched"},
		"another amount":          {with(func(c *Claim) { c.Amount = &six }), event, covering(0), "different_amount"},
		"gone with its block":     {[]Claim{confirmed}, nil, covering(0), "missing_on_chain"},
		"in a block to come":      {with(func(c *Claim) { c.BlockNumber = block(201) }), nil, covering(0), "not_known_yet"},
		"of before the first":     {with(func(c *Claim) { c.BlockNumber = block(99) }), nil, covering(0), "not_known_yet"},
		"of no block, of before":  {with(func(c *Claim) { c.BlockNumber, c.At = nil, comparedAt.AddDate(0, 0, -2) }), nil, covering(0), "not_known_yet"},
		"of no block, of after":   {with(func(c *Claim) { c.BlockNumber = nil }), nil, covering(2 * time.Hour), "not_known_yet"},
		"of no block, covered":    {with(func(c *Claim) { c.BlockNumber = nil }), nil, covering(0), "missing_on_chain"},
		"no index":                {[]Claim{confirmed}, nil, None[EventCoverage]("no"), "not_known_yet"},
		"of no transaction":       {with(func(c *Claim) { c.TxHash = "" }), event, covering(0), "not_comparable missing_in_database"},
		"of another kind":         {with(func(c *Claim) { c.Kind, c.TxHash = RewardBonus, "" }), nil, covering(0), "not_comparable"},
		"submitted":               {with(func(c *Claim) { c.Status, c.Amount, c.BlockNumber = ClaimSubmitted, nil, nil }), nil, covering(0), "awaited"},
		"submitted, and on chain": {with(func(c *Claim) { c.Status, c.Amount, c.BlockNumber = ClaimSubmitted, nil, nil }), event, covering(0), "awaited"},
		"failed":                  {with(func(c *Claim) { c.Status, c.Amount = ClaimFailed, nil }), nil, covering(0), ""},
		"failed, and on chain":    {with(func(c *Claim) { c.Status, c.Amount = ClaimFailed, nil }), event, covering(0), "missing_in_database"},
		"of another kind, failed": {with(func(c *Claim) { c.Kind, c.Status, c.TxHash = RewardMining, ClaimFailed, "" }), nil, covering(0), ""},
		"on chain only":           {nil, event, covering(0), "missing_in_database"},
		"on chain only, no index": {nil, event, None[EventCoverage]("no"), "missing_in_database"},
	} {
		var classes []string
		for _, r := range ReconcileClaims(c.claims, c.events, c.known) {
			classes = append(classes, string(r.Class))
			if r.Class != ClassMatched && r.Why == "" {
				t.Errorf("%s: nothing says why", name)
			}
		}
		if got := strings.Join(classes, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatDiffersIsCounted(t *testing.T) {
	r := Reconciliation{
		Payments: map[ReconcileClass]ReconcileSum{ClassMatched: {Jobs: 100}, ClassDifferent: {Jobs: 2}, ClassMissingOnChain: {Jobs: 3}, ClassMissingInDatabase: {Jobs: 4}, ClassAwaited: {Jobs: 50}},
		Claims:   []ReconciledClaim{{Class: ClassMatched}, {Class: ClassMissingOnChain}, {Class: ClassNotKnown}},
	}
	if n := r.Differing(); n != 10 {
		t.Errorf("%d differ, want 10", n)
	}
	sum := ReconcileSum{Jobs: 2, Recorded: WeiFromInt(100), OnChain: WeiFromInt(90), Short: WeiFromInt(25)}
	if over := sum.Over(); !over.Equal(WeiFromInt(15)) {
		t.Errorf("the chain has %s more of some jobs, want 15", over)
	}
}

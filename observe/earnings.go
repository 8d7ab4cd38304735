package observe

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Earnings sums up what a wallet has earned.
func (r *Reads) Earnings(ctx context.Context, wallet validator.Address) validator.Maybe[validator.Earnings] {
	return load(ctx, r, &r.o.tables.earnings, "earnings", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (validator.Earnings, error) {
		return r.o.db.Earnings(ctx, wallet, r.o.now())
	})
}

// EarningHistory is a page of a period's earnings with the period's sums.
type EarningHistory struct {
	Entries []validator.Earning
	Sum     validator.EarningsPeriod
}

type earningHistoryKey struct {
	ofWallet

	window        validator.Window
	limit, offset int
}

// EarningHistory lists a wallet's earnings in a window, newest first; window 0 is all time.
func (r *Reads) EarningHistory(ctx context.Context, wallet validator.Address, window validator.Window, limit, offset int) validator.Maybe[EarningHistory] {
	return load(ctx, r, &r.o.tables.earningHistory, "earning history", earningHistoryKey{ofWallet(wallet), window, limit, offset}, walletMaxAge, func(ctx context.Context) (EarningHistory, error) {
		var since *time.Time
		if window != 0 {
			t := window.Start(r.o.now())
			since = &t
		}
		entries, err := r.o.db.EarningsHistory(ctx, wallet, since, limit, offset)
		if err != nil {
			return EarningHistory{}, err
		}
		sum, err := r.o.db.EarningsPeriod(ctx, wallet, since)
		return EarningHistory{entries, sum}, err
	})
}

type daysKey struct {
	ofWallet

	days validator.DayRange
}

// MeasuredEnergy sums the energy that a wallet's GPUs took over days.
func (r *Reads) MeasuredEnergy(ctx context.Context, wallet validator.Address, d validator.DayRange) validator.Maybe[validator.MeasuredEnergy] {
	return load(ctx, r, &r.o.tables.energy, "measured energy", daysKey{ofWallet(wallet), d}, earningsMaxAge, func(ctx context.Context) (validator.MeasuredEnergy, error) {
		return r.o.db.MeasuredEnergy(ctx, wallet, d.First, d.Last)
	})
}

type earningReportKey struct {
	daysKey

	by validator.Grouping
}

// EarningReport sums a wallet's earnings over days, by day, week or month.
func (r *Reads) EarningReport(ctx context.Context, wallet validator.Address, d validator.DayRange, by validator.Grouping) validator.Maybe[validator.EarningReport] {
	k := earningReportKey{daysKey{ofWallet(wallet), d}, by}
	report := load(ctx, r, &r.o.tables.earningReport, "earnings of days", k, earningsMaxAge, func(ctx context.Context) (validator.EarningReport, error) {
		now := r.o.now()
		days, _, err := r.o.db.EarningDays(ctx, wallet, d.First, d.Last)
		if err != nil {
			return validator.EarningReport{}, err
		}
		jobTime, err := r.o.db.JobTime(ctx, wallet, d.First, d.Last)
		return validator.NewEarningReport(d, by, days, jobTime, now), err
	})
	events := r.EventsRead(ctx, ProverStaking)
	return validator.Map(report, func(p validator.EarningReport) validator.EarningReport {
		p.ClaimEvents = events
		return p
	})
}

type earningListKey struct {
	ofWallet

	filter db.EarningFilter
}

// EarningList lists a wallet's single earnings, newest first.
func (r *Reads) EarningList(ctx context.Context, wallet validator.Address, f db.EarningFilter) validator.Maybe[[]validator.Earning] {
	return load(ctx, r, &r.o.tables.earningList, "earning list", earningListKey{ofWallet(wallet), f}, walletMaxAge, func(ctx context.Context) ([]validator.Earning, error) {
		return r.o.db.EarningsPage(ctx, wallet, f)
	})
}

// newestClaims is how many claims Claims returns.
const newestClaims = 3

// Claims lists a wallet's newest claims.
func (r *Reads) Claims(ctx context.Context, wallet validator.Address) validator.Maybe[[]validator.Claim] {
	return r.claims(ctx, wallet, walletMaxAge)
}

// ClaimsNow is Claims without what is cached.
func (r *Reads) ClaimsNow(ctx context.Context, wallet validator.Address) validator.Maybe[[]validator.Claim] {
	return r.claims(ctx, wallet, 0)
}

func (r *Reads) claims(ctx context.Context, wallet validator.Address, maxAge time.Duration) validator.Maybe[[]validator.Claim] {
	return load(ctx, r, &r.o.tables.claims, "claims", ofWallet(wallet), maxAge, func(ctx context.Context) ([]validator.Claim, error) {
		return r.o.db.Claims(ctx, wallet, newestClaims)
	})
}

// ForgetClaims makes the next Claims of a wallet read anew.
func (o *Observer) ForgetClaims(wallet validator.Address) {
	o.tables.claims.forget(o.cache, ofWallet(wallet))
}

// newestPricedClaims is how many claims PricedClaims returns.
const newestPricedClaims = 25

// PricedClaims lists a wallet's newest claims with what SAGE was worth then.
func (r *Reads) PricedClaims(ctx context.Context, wallet validator.Address) validator.Maybe[[]db.PricedClaim] {
	return load(ctx, r, &r.o.tables.pricedClaims, "priced claims", ofWallet(wallet), walletMaxAge, func(ctx context.Context) ([]db.PricedClaim, error) {
		return r.o.db.PricedClaims(ctx, wallet, newestPricedClaims)
	})
}

// ForgetPricedClaims makes the next PricedClaims of a wallet read anew.
func (o *Observer) ForgetPricedClaims(wallet validator.Address) {
	o.tables.pricedClaims.forget(o.cache, ofWallet(wallet))
}

// SAGEPrice returns the newest observed price of SAGE, however old; nil if there never was one.
// validator.UsableSAGEPrice says whether it counts.
func (r *Reads) SAGEPrice(ctx context.Context) validator.Maybe[*validator.SAGEPrice] {
	return load(ctx, r, &r.o.tables.sagePrice, "price of SAGE", nobodys{}, networkMaxAge, r.o.db.SAGEPrice)
}

// Reconciliation compares all of a wallet's payments and claims with the chain.
func (r *Reads) Reconciliation(ctx context.Context, wallet validator.Address) validator.Maybe[validator.Reconciliation] {
	return load(ctx, r, &r.o.tables.reconciliation, "reconciliation", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (validator.Reconciliation, error) {
		return r.o.db.Reconciliation(ctx, wallet, r.o.PaymentContracts(), r.o.now())
	})
}

// PaymentList says which of a wallet's payments are listed.
type PaymentList struct {
	Class  validator.ReconcileClass // "" = all that differ
	Before db.PaymentCursor
	Limit  int
}

type paymentsKey struct {
	ofWallet

	list PaymentList
}

// Payments lists payments beside the chain's. windows are those of the list's class, as far as
// events are known now.
func (r *Reads) Payments(ctx context.Context, wallet validator.Address, l PaymentList, windows []validator.PaymentWindow) validator.Maybe[[]validator.ReconciledPayment] {
	return load(ctx, r, &r.o.tables.payments, "payments", paymentsKey{ofWallet(wallet), l}, walletMaxAge, func(ctx context.Context) ([]validator.ReconciledPayment, error) {
		return r.o.db.ReconciledPayments(ctx, wallet, windows, l.Before, l.Limit)
	})
}

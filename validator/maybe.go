package validator

import "encoding/json"

// Maybe is a value that was observed, or the reason why there is none.
// The zero Maybe is missing with the reason "not read yet".
type Maybe[T any] struct {
	value  T
	known  bool
	reason string
}

// Some returns a known value.
func Some[T any](v T) Maybe[T] { return Maybe[T]{value: v, known: true} }

// None returns a missing value. The reason is a short phrase for people, such as
// "not supported by this GPU"; it never holds a raw error.
func None[T any](reason string) Maybe[T] { return Maybe[T]{reason: reason} }

// Get returns the value and whether it is known.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.known }

// Known says whether there is a value.
func (m Maybe[T]) Known() bool { return m.known }

// Reason says in words why there is no value; it is empty for a known one.
func (m Maybe[T]) Reason() string {
	switch {
	case m.known:
		return ""
	case m.reason == "":
		return notRead
	}
	return m.reason
}

// because gives a missing value another reason.
func (m *Maybe[T]) because(reason string) {
	if !m.known {
		m.reason = reason
	}
}

// Or returns the value, or def if there is none. It is for display-only choices
// such as sorting: a figure that people read must say that it is missing.
func (m Maybe[T]) Or(def T) T {
	if m.known {
		return m.value
	}
	return def
}

// MarshalJSON writes the value, or null if there is none.
func (m Maybe[T]) MarshalJSON() ([]byte, error) {
	if !m.known {
		return []byte("null"), nil
	}
	return json.Marshal(m.value)
}

// Why a value is missing that nobody set, and one that was null in JSON.
const (
	notRead     = "not read yet"
	notReported = "not reported"
)

// UnmarshalJSON reads what MarshalJSON wrote; null becomes a missing value.
func (m *Maybe[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = None[T](notReported)
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*m = Some(v)
	return nil
}

// Map applies f to a known value and hands a missing one on with its reason.
func Map[A, B any](a Maybe[A], f func(A) B) Maybe[B] {
	if v, ok := a.Get(); ok {
		return Some(f(v))
	}
	return None[B](a.Reason())
}

// Map2 applies f if both values are known; else the first missing one's reason stands.
func Map2[A, B, C any](a Maybe[A], b Maybe[B], f func(A, B) C) Maybe[C] {
	va, ok := a.Get()
	if !ok {
		return None[C](a.Reason())
	}
	vb, ok := b.Get()
	if !ok {
		return None[C](b.Reason())
	}
	return Some(f(va, vb))
}

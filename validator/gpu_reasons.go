package validator

import "reflect"

// Reasons returns why fields of the GPU have no value, by the fields' names in JSON, for what
// keeps it so, where a missing value is null. What "not reported" says already is left out.
func (g GPU) Reasons() map[string]string {
	out := map[string]string{}
	fields := reflect.ValueOf(g)
	for i := range fields.NumField() {
		m, ok := reflect.TypeAssert[interface{ Reason() string }](fields.Field(i))
		if !ok {
			continue
		}
		if why := m.Reason(); why != "" && why != notReported && why != notRead {
			out[fields.Type().Field(i).Tag.Get("json")] = why
		}
	}
	return out
}

// WithReasons returns the GPU with the reasons that Reasons returned of it. One of a field
// that has a value, or that this version does not have, is left out.
func (g GPU) WithReasons(why map[string]string) GPU {
	fields := reflect.ValueOf(&g).Elem()
	for i := range fields.NumField() {
		reason, given := why[fields.Type().Field(i).Tag.Get("json")]
		if !given {
			continue
		}
		if m, ok := reflect.TypeAssert[interface{ because(reason string) }](fields.Field(i).Addr()); ok {
			m.because(reason)
		}
	}
	return g
}

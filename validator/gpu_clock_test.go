package validator

import (
	"reflect"
	"testing"
	"time"
)

// TestEveryTimeIsShifted: all times of GPUs, whichever fields there are.
func TestEveryTimeIsShifted(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	fill := func(v reflect.Value) { fillTimes(v, at) }
	var s GPUSnapshot
	var p GPUPoint
	var j GPUJournal
	for _, v := range []any{&s, &p, &j} {
		fill(reflect.ValueOf(v).Elem())
	}
	for name, shifted := range map[string]any{
		"snapshot": s.Shifted(time.Hour), "point": p.Shifted(time.Hour), "journal": j.Shifted(time.Hour),
	} {
		n := 0
		eachTime(reflect.ValueOf(shifted), name, func(path string, got time.Time) {
			n++
			if path != "snapshot.State.BlockTime" && !got.Equal(at.Add(time.Hour)) { // GPUs have no blocks
				t.Errorf("%s is %v", path, got)
			}
		})
		if n == 0 {
			t.Errorf("%s: no time was found", name)
		}
	}
	eachTime(reflect.ValueOf(s), "the one before", func(path string, got time.Time) {
		if !got.Equal(at) {
			t.Errorf("%s became %v", path, got)
		}
	})
	var none GPUSnapshot
	if !none.Shifted(time.Hour).State.ObservedAt.IsZero() {
		t.Error("what was never observed is at a time")
	}
}

var timeType = reflect.TypeFor[time.Time]()

// fillTimes gives every list an entry, makes every Maybe known and sets every time.
func fillTimes(v reflect.Value, at time.Time) {
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(at))
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillTimes(v.Index(0), at)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if !f.CanSet() { // of a Maybe
				f = reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
			}
			if f.Kind() == reflect.Bool && v.Type().Field(i).Name == "known" {
				f.SetBool(true)
			}
			fillTimes(f, at)
		}
	}
}

func eachTime(v reflect.Value, path string, found func(string, time.Time)) {
	switch {
	case v.Type() == timeType:
		at := reflect.New(timeType).Elem()
		at.Set(exported(v))
		found(path, at.Interface().(time.Time))
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachTime(v.Index(i), path+"[]", found)
		}
	case v.Kind() == reflect.Struct:
		settable := exported(v)
		for i := range settable.NumField() {
			eachTime(settable.Field(i), path+"."+v.Type().Field(i).Name, found)
		}
	}
}

// exported is a copy of a value whose fields may be looked at.
func exported(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

package observe

import (
	"reflect"
	"time"
)

// heapBytes estimates how many bytes a value keeps in memory. What two parts of it share counts
// twice, which errs to the safe side.
func heapBytes(value any) int64 {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return 0
	}
	return int64(v.Type().Size()) + referredBytes(v, deepest)
}

// deepest is how many references deep a value is looked into.
const deepest = 64

var timeType = reflect.TypeFor[time.Time]()

// referredBytes is what a value refers to, without its own cells.
func referredBytes(v reflect.Value, depth int) int64 {
	if depth == 0 || !refers(v.Type()) {
		return 0
	}
	var sum int64
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Slice:
		sum = int64(v.Cap()) * int64(v.Type().Elem().Size())
		fallthrough
	case reflect.Array:
		if refers(v.Type().Elem()) {
			for i := range v.Len() {
				sum += referredBytes(v.Index(i), depth-1)
			}
		}
	case reflect.Map:
		// Of a map's cells up to half are empty.
		sum = 2 * int64(v.Len()) * int64(v.Type().Key().Size()+v.Type().Elem().Size())
		for entries := v.MapRange(); entries.Next(); {
			sum += referredBytes(entries.Key(), depth-1) + referredBytes(entries.Value(), depth-1)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			sum = int64(v.Elem().Type().Size()) + referredBytes(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			sum += referredBytes(field, depth)
		}
	default:
	}
	return sum
}

// refers reports whether values of a type can refer to memory of their own. The zone of a time is
// shared by all.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return true
	case reflect.Array:
		return refers(t.Elem())
	case reflect.Struct:
		if t == timeType {
			return false
		}
		for field := range t.Fields() {
			if refers(field.Type) {
				return true
			}
		}
	default:
	}
	return false
}

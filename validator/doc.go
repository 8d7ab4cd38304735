// Package validator says what a validator of the BitSage network is: plain types
// and pure rules over what the three sources (GPUs, database, chain) observed.
//
// It reads nothing itself and imports no other package of this module. A missing
// observation makes every value derived from it missing, with the reason; it never
// becomes zero.
package validator

package remote

import (
	"errors"
	"fmt"

	"github.com/promwire/promwire"
)

// PreflightRule is a rule that a [Preflight] judges by.
type PreflightRule uint8

// The rules, each with the reason that its findings wrap.
const (
	RuleLabelOrder       PreflightRule = iota + 1 // labels sorted by name: [promwire.ErrUnsortedLabels]
	RuleDuplicateLabel                            // label names unique: [promwire.ErrDuplicateLabel]
	RuleEmptyLabelName                            // [promwire.ErrEmptyLabelName]
	RuleEmptyLabelValue                           // [promwire.ErrEmptyLabelValue]
	RuleMetricName                                // a metric name: [promwire.ErrNoMetricName]
	RuleName                                      // names of the scheme: [promwire.ErrInvalidName]
	RuleUTF8                                      // names and values in valid UTF-8: [promwire.ErrInvalidUTF8]
	RuleLabelLength                               // [promwire.ErrLabelTooLong]
	RuleLabelCount                                // [promwire.ErrTooManyLabels]
	RuleEmptySeries                               // something to store: [promwire.ErrEmptySeries]
	RuleTimeOrder                                 // time ascends within an entry: [promwire.ErrOutOfOrder]
	RuleRepeated                                  // no item twice: [promwire.ErrDuplicateTimestamp]
	RuleConflict                                  // one value for a millisecond: [promwire.ErrDuplicateTimestamp]
	RuleTimeUnit                                  // set, and in milliseconds: [promwire.ErrOutOfBounds]
	RuleFuture                                    // [promwire.ErrTooFarInFuture]
	RuleAge                                       // [promwire.ErrTooOld]
	RuleHistogram                                 // consistent histograms: [promwire.ErrInvalidHistogram]
	RuleHistogramSupport                          // histograms that the target stores: [promwire.ErrInvalidHistogram]
	RuleExemplar                                  // [promwire.ErrInvalidExemplar]; [promwire.ErrUnknownSeries] if its samples are all refused
)

// mayBeTaken are the rules that count in [PreflightProfile.Takes].
const mayBeTaken = 1<<RuleLabelOrder | 1<<RuleEmptyLabelValue | 1<<RuleMetricName | 1<<RuleEmptySeries |
	1<<RuleTimeOrder | 1<<RuleRepeated | 1<<RuleConflict | 1<<RuleTimeUnit

var ruleNames = [...]string{
	RuleLabelOrder: "label order", RuleDuplicateLabel: "duplicate label", RuleEmptyLabelName: "empty label name",
	RuleEmptyLabelValue: "empty label value", RuleMetricName: "metric name", RuleName: "name", RuleUTF8: "UTF-8",
	RuleLabelLength: "label length", RuleLabelCount: "label count", RuleEmptySeries: "empty series",
	RuleTimeOrder: "time order", RuleRepeated: "repeated", RuleConflict: "conflict", RuleTimeUnit: "time unit",
	RuleFuture: "future", RuleAge: "age", RuleHistogram: "histogram", RuleHistogramSupport: "histogram support",
	RuleExemplar: "exemplar",
}

// String returns the rule in words.
func (r PreflightRule) String() string {
	if r > 0 && int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return fmt.Sprintf("rule %d", uint8(r))
}

var labelRules = [...]struct {
	reason error
	rule   PreflightRule
}{
	{promwire.ErrNoMetricName, RuleMetricName},
	{promwire.ErrInvalidUTF8, RuleUTF8},
	{promwire.ErrDuplicateLabel, RuleDuplicateLabel},
	{promwire.ErrEmptyLabelName, RuleEmptyLabelName},
	{promwire.ErrEmptyLabelValue, RuleEmptyLabelValue},
	{promwire.ErrUnsortedLabels, RuleLabelOrder},
}

// labelRule returns the rule for an error of [promwire.Labels.Validate].
func labelRule(err error) PreflightRule {
	for _, l := range labelRules {
		if errors.Is(err, l.reason) {
			return l.rule
		}
	}
	return RuleName
}

// PreflightAction is what became of a finding.
type PreflightAction uint8

// The actions.
const (
	// PreflightRepaired: mended, the rest is sent.
	PreflightRepaired PreflightAction = iota + 1
	// PreflightDropped: refused and not sent.
	PreflightDropped
	// PreflightSent: sent as it is, since the target takes it ([PreflightProfile.Takes]).
	PreflightSent
)

// String returns the action in a word.
func (a PreflightAction) String() string {
	switch a {
	case PreflightRepaired:
		return "repaired"
	case PreflightDropped:
		return "dropped"
	case PreflightSent:
		return "sent as is"
	default:
		return fmt.Sprintf("action %d", uint8(a))
	}
}

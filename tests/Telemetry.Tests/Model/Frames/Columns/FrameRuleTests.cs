using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>What docs/reference/frame-format.md lets a reader refuse, and what not; one frame a rule.</summary>
public class FrameRuleTests
{
    public static TheoryData<string> Claims => [.. FrameRule.All.Select(rule => rule.Claim)];

    [Theory]
    [MemberData(nameof(Claims))]
    public void A_frame_is_refused_where_it_breaks_a_rule_and_nowhere_else(string claim)
    {
        var rule = FrameRule.All.Single(r => r.Claim == claim);
        var refusal = Record.Exception(() => FrameText.Of(rule.Frame, rule.Types));

        if (rule.IsAccepted)
        {
            Assert.Null(refusal);
        }
        else
        {
            Assert.IsType<WireFormatException>(refusal);
        }
    }
}

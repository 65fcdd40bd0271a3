using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>A frame that no writer makes, and whether docs/reference/frame-format.md lets a reader take it.</summary>
internal sealed record FrameRule(string Claim, bool IsAccepted, MetricType[] Types, byte[] Frame)
{
    /// <summary>All of them, each of another claim.</summary>
    public static IReadOnlyList<FrameRule> All { get; } =
    [
        .. HeaderRules.All(), .. PlainColumnRules.All(), .. CompactColumnRules.All(), .. CompactValueRules.All(),
        .. DeflateRule.All.Select(rule => rule.InFrame()),
    ];

    /// <summary>A frame that a reader takes. Without types its schema has one series, of type Int.</summary>
    public static FrameRule Accepted(string claim, HandMadeFrame frame, params MetricType[] types) =>
        new(claim, true, types.Length > 0 ? types : [MetricType.Int], frame.Seal());

    /// <summary>A frame that a reader refuses.</summary>
    public static FrameRule Refused(string claim, HandMadeFrame frame, params MetricType[] types) =>
        Accepted(claim, frame, types) with { IsAccepted = false };
}

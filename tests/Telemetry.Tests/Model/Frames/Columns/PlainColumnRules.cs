using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>The rules of plain columns, as frames of version 0.</summary>
internal static class PlainColumnRules
{
    private const byte Flags = 8, Null = 4;

    private static readonly byte[] Eight = new byte[8], Seven = new byte[7];

    /// <summary>A group of one Int, without its series.</summary>
    private static readonly byte[] Group = [1, 1, .. Eight, .. Eight];

    public static IEnumerable<FrameRule> All() => [.. Groups(), .. Readings()];

    private static IEnumerable<FrameRule> Groups()
    {
        MetricType[] two = [MetricType.Int, MetricType.Int];
        yield return FrameRule.Accepted("series that fall", Frame(2, [1, .. Group, 0, .. Group]), two);
        yield return FrameRule.Accepted("two groups of a series", Frame(2, [0, .. Group, 0, .. Group]), two);
        yield return FrameRule.Accepted(
            "times that fall", Frame(2, [0, 2, (byte)MetricType.Int, 9, .. Seven, .. Eight, .. Eight, .. Eight]));
        yield return FrameRule.Refused("a series of no schema", Frame(1, [1, .. Group]));
        yield return FrameRule.Refused("a group without readings", Frame(1, [0, 0, 1, 0, .. Group]));
        yield return FrameRule.Refused("readings too few", Frame(2, [0, .. Group]));
        yield return FrameRule.Refused("readings too many", Frame(1, [0, .. Group, 0, .. Group]));
        yield return FrameRule.Refused(
            "a layout that is none", new HandMadeFrame { Payload = w => w.Bytes([2, 0, .. Group]) });
        yield return FrameRule.Accepted("plain layout", new HandMadeFrame { Payload = w => w.Bytes([0, 0, .. Group]) });
    }

    private static IEnumerable<FrameRule> Readings()
    {
        byte[] text4097 = [0x81, 0x20, .. new byte[4097]];
        yield return FrameRule.Refused("another type than the schema's", One(MetricType.UInt, 0, Eight));
        yield return FrameRule.Refused("a type's bit 4", One((MetricType)16 | MetricType.Int, 0, Eight));
        yield return FrameRule.Refused("a flag's bit 4", One(MetricType.Int, 16, Eight));
        yield return FrameRule.Accepted("quality 3", One(MetricType.Int, 3, Eight));
        yield return FrameRule.Accepted("a null with a value", One(MetricType.Int, Null, [1, .. Seven]));
        yield return FrameRule.Accepted("a null with a text", One(MetricType.Text, Null, [1, 65]), MetricType.Text);
        yield return FrameRule.Accepted("a Bool of 2", One(MetricType.Bool, 0, [2, .. Seven]), MetricType.Bool);
        yield return FrameRule.Accepted("a text of no UTF-8", One(MetricType.Text, 0, [1, 0xff]), MetricType.Text);
        yield return FrameRule.Refused("a text of 4,097 bytes", One(MetricType.Text, 0, text4097), MetricType.Text);
    }

    private static HandMadeFrame One(MetricType type, byte flags, byte[] value) =>
        Frame(1, [0, 1, (byte)((byte)type | Flags), .. Eight, flags, .. value]);

    private static HandMadeFrame Frame(int count, byte[] columns) =>
        new() { First = 0, Count = count, Payload = w => w.Bytes(columns) };
}

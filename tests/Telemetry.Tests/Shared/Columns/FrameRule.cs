using System.Text;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Testing.Readings;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>A frame that no writer makes, and whether docs/frame-format.md lets a reader take it.</summary>
internal sealed record FrameRule(string Claim, bool IsAccepted, MetricType[] Types, byte[] Frame)
{
    /// <summary>The rules of headers, declarations and plain columns, then those of compact ones.</summary>
    public static IReadOnlyList<FrameRule> All { get; } = [.. Headers(), .. PlainColumns(), .. CompactColumnRules.All()];

    public static FrameRule Accepted(string claim, HandMadeFrame frame, params MetricType[] types) =>
        new(claim, true, types.Length > 0 ? types : [MetricType.Int], frame.Seal());

    public static FrameRule Refused(string claim, HandMadeFrame frame, params MetricType[] types) =>
        new(claim, false, types.Length > 0 ? types : [MetricType.Int], frame.Seal());

    private static IEnumerable<FrameRule> Headers()
    {
        const byte version1 = 0x10, tombstone = 0x11, dropped = 4, predecessor = 8, promise = 16, others = 32, digest = 64;
        const long sequenceMax = FrameHeader.SequenceMax;
        var frame = new HandMadeFrame();
        yield return Accepted("a frame made by hand", frame);
        yield return Refused("version 2", frame with { First = 0x20 });
        yield return Refused("a kind that is none", frame with { First = version1 | 3 });
        yield return Refused("lane 3", frame with { Bits = 3 });
        yield return Refused("bit 7", frame with { Bits = 128 });
        yield return Refused("epoch 0", frame with { Epoch = 0 });
        yield return Refused("first sequence 0", frame with { Sequence = 0 });
        yield return Accepted("a last sequence of 2^60", frame with { Sequence = sequenceMax });
        yield return Refused(
            "a last sequence over 2^60", frame with { Sequence = sequenceMax, Count = 2, Payload = TwoReadings() });
        yield return Refused("more sequences than a frame may cover", frame with { Count = FrameHeader.CountMax + 1 });
        yield return Refused("dropped 0", frame with { Bits = dropped, Dropped = w => w.Varint(0L) });
        yield return Refused("dropped in a tombstone", frame with
        {
            First = tombstone, Bits = dropped, Dropped = w => w.Varint(1L), Payload = w => w.Bytes(Declared(1, 0, 1, 0, 0)),
        });
        yield return Accepted("a varint with needless bytes", frame with { Bits = dropped, Count = 2, Dropped = w => w.Bytes([0x81, 0x80, 0]), Payload = OneReading(Declared(1, 0, 1, 0, 0)) });
        yield return Accepted("predecessor 0", frame with { Bits = predecessor, Parts = w => w.Bytes(new byte[11]) });
        yield return Refused("other epochs of no promise", frame with { Bits = others });
        yield return Refused("a digest of no promise", frame with { Bits = digest });
        yield return Refused("no other epochs", frame with { Bits = promise | others, Parts = w => w.Bytes(new byte[10]) });
        yield return Refused("digest 0", frame with { Bits = promise | digest, Parts = w => w.Bytes(new byte[17]) });
        yield return Accepted("other epochs 0, twice", frame with
        {
            Bits = promise | others,
            Parts = w => w.Bytes([.. new byte[9], 2, .. new byte[22]]),
        });
        yield return Refused("sixteen other epochs", frame with
        {
            Bits = promise | others,
            Parts = w => w.Bytes([.. new byte[9], 16, .. new byte[16 * 11]]),
        });

        var allDropped = frame with { Bits = dropped, Count = 2, Dropped = w => w.Varint(2L) };
        yield return Accepted("declarations of one series, of a time first behind time last", allDropped with { Payload = w => w.Bytes([2, .. Declaration(1, 0, 1, 9, 3), .. Declaration(1, 0, 1, 0, 0)]) });
        yield return Refused("a declared series that is not in the schema", allDropped with { Payload = w => w.Bytes(Declared(1, 1, 2, 0, 0)) });
        yield return Refused("reason 6", allDropped with { Payload = w => w.Bytes(Declared(6, 0, 2, 0, 0)) });
        yield return Refused("declarations of fewer than are dropped", allDropped with { Payload = w => w.Bytes(Declared(1, 0, 1, 0, 0)) });
        yield return Refused("declarations of more than are dropped", allDropped with { Payload = w => w.Bytes(Declared(1, 0, 3, 0, 0)) });
        yield return Refused("a byte behind the declarations of a frame without readings", allDropped with { Payload = w => w.Bytes([.. Declared(1, 0, 2, 0, 0), 1]) });
        yield return Refused("a layout that is none", frame with { Payload = w => w.Byte(2) });
    }

    private static IEnumerable<FrameRule> PlainColumns()
    {
        var eight = new byte[8];
        var frame = new HandMadeFrame { First = 0, Count = 2 };
        MetricType[] two = [MetricType.Int, MetricType.Int];
        byte[] group = [1, 1, .. eight, .. eight];
        yield return Accepted("groups that fall", frame with { Payload = w => w.Bytes([1, .. group, 0, .. group]) }, two);
        yield return Accepted("two groups of a series", frame with { Payload = w => w.Bytes([0, .. group, 0, .. group]) }, two);
        yield return Accepted(
            "times that fall", frame with { Payload = w => w.Bytes([0, 2, 1, 9, .. new byte[7], .. eight, .. eight, .. eight]) });
        yield return Refused("a group without readings", frame with { Payload = w => w.Bytes([0, 0, 1, 0, .. group, 0, .. group]) });
        yield return Refused("readings too few", frame with { Payload = w => w.Bytes([0, .. group]) });
        yield return Refused("readings too many", frame with { Count = 1, Payload = w => w.Bytes([0, .. group, 0, .. group]) });
        var one = frame with { Count = 1 };
        yield return Refused("another type than the schema's", one with { Payload = w => w.Bytes([0, 1, 2, .. eight, .. eight]) });
        yield return Refused("a type's bit 4", one with { Payload = w => w.Bytes([0, 1, 17, .. eight, .. eight]) });
        yield return Refused("a flag's bit 4", one with { Payload = w => w.Bytes([0, 1, 9, .. eight, 16, .. eight]) });
        yield return Accepted("quality 3", one with { Payload = w => w.Bytes([0, 1, 9, .. eight, 3, .. eight]) });
        yield return Accepted("a null with a value", one with { Payload = w => w.Bytes([0, 1, 9, .. eight, 4, 1, .. new byte[7]]) });
        yield return Accepted("a null with a text", one with { Payload = w => w.Bytes([0, 1, 12, .. eight, 4, 1, 65]) }, MetricType.Text);
        yield return Accepted("a Bool of 2", one with { Payload = w => w.Bytes([0, 1, 3, .. eight, 2, .. new byte[7]]) }, MetricType.Bool);
        yield return Accepted("a text that is no UTF-8", one with { Payload = w => w.Bytes([0, 1, 4, .. eight, 1, 0xff]) }, MetricType.Text);
        yield return Refused(
            "a text of 4,097 bytes",
            one with { Payload = w => w.Bytes([0, 1, 4, .. eight, 0x81, 0x20, .. Encoding.ASCII.GetBytes(new string('x', 4097))]) },
            MetricType.Text);
    }

    private static Action<Model.Wire.WireWriter> OneReading(byte[] declared) => writer =>
    {
        writer.Bytes(declared);
        new HandMadeFrame().Payload(writer);
    };

    private static Action<Model.Wire.WireWriter> TwoReadings() => HandMadeFrame.Compact(bits => HandMadeFrame.Values(bits, 2, b =>
    {
        HandMadeFrame.Integers(b, 0);
        HandMadeFrame.Prediction(b, Model.Frames.Columns.PredictionKind.Constant);
    }));

    private static byte[] Declared(byte reason, byte series, byte count, byte first, byte last) =>
        [1, .. Declaration(reason, series, count, first, last)];

    private static byte[] Declaration(byte reason, byte series, byte count, byte first, byte last) =>
        [reason, series, count, first, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, 0, 0, 0];
}

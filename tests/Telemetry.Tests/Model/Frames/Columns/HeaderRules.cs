using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>The rules of headers and declarations.</summary>
internal static class HeaderRules
{
    private const byte Version1 = 0x10, Version2 = 0x20, Tombstone = 0x11, Schema = 3;
    private const byte Dropped = 4, Predecessor = 8, Promise = 16, Others = 32, Digest = 64, Unknown = 128;
    private const int PromiseBytes = 9, OtherBytes = 11;

    private static readonly HandMadeFrame Frame = new();

    public static IEnumerable<FrameRule> All() => [.. Header(), .. Parts(), .. Declarations()];

    private static IEnumerable<FrameRule> Header()
    {
        yield return FrameRule.Accepted("a frame made by hand", Frame);
        yield return FrameRule.Refused("version 2", Frame with { First = Version2 });
        yield return FrameRule.Refused("a kind that is none", Frame with { First = Version1 | Schema });
        yield return FrameRule.Refused("lane 3", Frame with { Bits = 3 });
        yield return FrameRule.Refused("bit 7", Frame with { Bits = Unknown });
        yield return FrameRule.Refused("epoch 0", Frame with { Epoch = 0 });
        yield return FrameRule.Refused("first sequence 0", Frame with { Sequence = 0 });
        yield return FrameRule.Accepted("a last sequence of 2^60", Frame with { Sequence = FrameHeader.SequenceMax });
        yield return FrameRule.Refused(
            "a last sequence over 2^60",
            Frame with { Sequence = FrameHeader.SequenceMax, Count = 2, Payload = TwoReadings });
        yield return FrameRule.Refused("too many sequences", Frame with { Count = FrameHeader.CountMax + 1 });
        yield return FrameRule.Refused("dropped 0", Frame with { Bits = Dropped, Dropped = w => w.Varint(0L) });
        yield return FrameRule.Refused("dropped in a tombstone", Frame with
        {
            First = Tombstone,
            Bits = Dropped,
            Dropped = w => w.Varint(1L),
            Payload = w => w.Bytes([1, .. Declaration()]),
        });
        yield return FrameRule.Accepted("a varint with needless bytes", OneDropped([0x81, 0x80, 0]));
        yield return FrameRule.Refused(
            "a varint of 65 bits", OneDropped([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]));
    }

    private static IEnumerable<FrameRule> Parts()
    {
        yield return FrameRule.Accepted("predecessor 0", Frame with { Bits = Predecessor, Parts = Zeros(OtherBytes) });
        yield return FrameRule.Refused("other epochs of no promise", Frame with { Bits = Others });
        yield return FrameRule.Refused("a digest of no promise", Frame with { Bits = Digest });
        yield return FrameRule.Refused("no other epochs", WithOthers(0));
        yield return FrameRule.Accepted("other epochs 0, twice", WithOthers(2));
        yield return FrameRule.Refused("sixteen other epochs", WithOthers(16));
        yield return FrameRule.Refused(
            "digest 0", Frame with { Bits = Promise | Digest, Parts = Zeros(PromiseBytes + sizeof(ulong)) });
    }

    private static IEnumerable<FrameRule> Declarations()
    {
        yield return FrameRule.Accepted("a series declared twice", AllDropped([2, .. Declaration(), .. Declaration()]));
        yield return FrameRule.Accepted(
            "time first behind time last", AllDropped([1, .. Declaration(count: 2, first: 9)]));
        yield return FrameRule.Refused(
            "a declared series of no schema", AllDropped([1, .. Declaration(series: 1, count: 2)]));
        yield return FrameRule.Refused("reason 0", AllDropped([1, .. Declaration(reason: 0, count: 2)]));
        yield return FrameRule.Refused("reason 6", AllDropped([1, .. Declaration(reason: 6, count: 2)]));
        yield return FrameRule.Refused(
            "none declared", AllDropped([2, .. Declaration(count: 0), .. Declaration(count: 2)]));
        yield return FrameRule.Refused("fewer declared than dropped", AllDropped([1, .. Declaration()]));
        yield return FrameRule.Refused("more declared than dropped", AllDropped([1, .. Declaration(count: 3)]));
        yield return FrameRule.Refused(
            "a byte behind declarations alone", AllDropped([1, .. Declaration(count: 2), 1]));
    }

    private static HandMadeFrame OneDropped(byte[] dropped) => Frame with
    {
        Bits = Dropped,
        Count = 2,
        Dropped = w => w.Bytes(dropped),
        Payload = w =>
        {
            w.Bytes([1, .. Declaration()]);
            Frame.Payload(w);
        },
    };

    private static HandMadeFrame WithOthers(byte count) => Frame with
    {
        Bits = Promise | Others,
        Parts = w => w.Bytes([.. new byte[PromiseBytes], count, .. new byte[count * OtherBytes]]),
    };

    private static HandMadeFrame AllDropped(byte[] payload) =>
        Frame with { Bits = Dropped, Count = 2, Dropped = w => w.Varint(2L), Payload = w => w.Bytes(payload) };

    private static byte[] Declaration(byte reason = 1, byte series = 0, byte count = 1, byte first = 0) =>
        [reason, series, count, first, .. new byte[13]];

    private static Action<WireWriter> Zeros(int bytes) => writer => writer.Bytes(new byte[bytes]);

    private static void TwoReadings(WireWriter writer) =>
        HandMadeFrame.Compact(bits => HandMadeFrame.Values(bits, 2, values =>
        {
            HandMadeFrame.Integers(values, 0);
            HandMadeFrame.Prediction(values, PredictionKind.Constant);
        }))(writer);
}

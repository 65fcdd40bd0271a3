using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.Model;

/// <summary>
/// Strangers' bytes: only <see cref="WireFormatException"/> escapes, and what is allocated stays in bounds.
/// </summary>
public class MutatedBytesTests
{
    private const int Rounds = 5_000;

    /// <summary>
    /// A frame can make 8,192 readings of 21 bytes and their text; nothing may come near more than that.
    /// </summary>
    private const long AllocatedMax = 512 * 1024;

    public static TheoryData<string> Kinds =>
    [
        "frame", "frame with a right checksum", "compact frame with a right checksum", "schema", "hello", "stored-ack",
        "schema needed", "receipt", "delivery",
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Mutated_bytes_are_read_or_refused(string kind)
    {
        var mutator = new Mutator(new Random(7));
        var types = Samples.Series().Types.ToArray();
        var original = Original(kind);
        Read(kind, original, types);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = kind.EndsWith("right checksum", StringComparison.Ordinal)
                ? mutator.MutateSealed(original) : mutator.Mutate(original);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Read(kind, bytes, types);
            }
            catch (WireFormatException)
            {
                refused++;
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocatedMax);
        }

        Assert.True(refused > Rounds / 20, $"only {refused} of {Rounds} were refused: is anything checked?");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bytes_cut_anywhere_are_refused(string kind)
    {
        var types = Samples.Series().Types.ToArray();
        var original = Original(kind);
        for (var length = 0; length < original.Length && kind != "delivery"; length++)
        {
            Assert.Throws<WireFormatException>(() => Read(kind, original.AsSpan(0, length), types));
        }
    }

    private static byte[] Original(string kind) => kind switch
    {
        "frame" or "frame with a right checksum" => Samples.Frame(),
        "compact frame with a right checksum" => Samples.Frame(Samples.Header() with { Version = 1 }),
        "schema" => Samples.Bytes(w => Samples.Schema().Write(w, Lane.Live)),
        "hello" => Samples.Bytes(Samples.Hello().Write),
        "stored-ack" => Samples.Bytes(Samples.Ack().Write),
        "schema needed" => Samples.Bytes(new SchemaNeeded(1, Samples.Schema().Id, Samples.Header().Key).Write),
        "receipt" =>
            Samples.Bytes(new ReceiptMessage(Samples.Header().Key, new(1, 2), new(StreamKind.Backlog, 3)).Write),
        _ => Samples.Bytes(new FrameEnvelope(1_700_000_000_000_000, new Attempt(9, 300)).Write),
    };

    private static void Read(string kind, ReadOnlySpan<byte> bytes, MetricType[] types)
    {
        switch (kind)
        {
            case "frame" or "frame with a right checksum" or "compact frame with a right checksum":
                FrameReader.Header(bytes, out _);
                FrameReader.Read(bytes, types, new ReadingBatch(16), []);
                break;
            case "schema":
                SchemaMessage.Read(bytes);
                break;
            case "hello":
                Hello.Read(bytes);
                break;
            case "stored-ack":
                StoredAck.Read(bytes);
                break;
            case "schema needed":
                SchemaNeeded.Read(bytes);
                break;
            case "receipt":
                ReceiptMessage.Read(bytes);
                break;
            default:
                FrameEnvelope.Read(bytes, out _);
                break;
        }
    }
}

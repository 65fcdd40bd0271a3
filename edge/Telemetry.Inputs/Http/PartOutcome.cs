using System.Text;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Model.Wire;

namespace Telemetry.Inputs.Http;

/// <summary>
/// What became of the part of a body that one commit stored; remembered in it, so that a repeat goes on behind it:
/// <code>
/// varint  offset and number of the first line behind it
/// varint  lines stored, lines refused
/// text    of the first refused ones: which, and why
/// </code>
/// </summary>
internal readonly record struct PartOutcome(BodyPosition Next, int Stored, int Refused, string Errors)
{
    private const int ErrorBytesMax = AnsweredRequest.AnswerBytesMax - 64;

    public byte[] ToBytes()
    {
        var writer = new WireWriter();
        writer.Varint((ulong)Next.Offset);
        writer.Varint((ulong)Next.Number);
        writer.Varint((ulong)Stored);
        writer.Varint((ulong)Refused);
        var errors = Errors;
        while (Encoding.UTF8.GetByteCount(errors) > ErrorBytesMax)
        {
            errors = errors[..(errors.Length / 2)];
        }

        writer.Text(errors);
        return writer.ToArray();
    }

    public static PartOutcome Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var next = new BodyPosition(Number(ref reader), Number(ref reader));
        var outcome = new PartOutcome(
            next, Number(ref reader), Number(ref reader), reader.Text(AnsweredRequest.AnswerBytesMax));
        reader.End();
        return outcome;

        static int Number(ref WireReader reader) => (int)reader.Varint((long)int.MaxValue);
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Telemetry.Inputs.LineProtocol;

namespace Telemetry.Inputs.Http;

/// <summary>
/// A body that is whole, and how it is to be read. <paramref name="Key"/> names it for its repeats: a hash of path,
/// name and the sender's Idempotency-Key; null without one. Where <paramref name="Within"/> is given, the key is made
/// of the body itself (<see cref="HttpInputOptions.RepeatWindow"/>), and counts for so long.
/// </summary>
internal sealed record WriteRequest(
    ReadOnlyMemory<byte> Body, TimePrecision Precision, UInt128? Key, TimeSpan? Within = null)
{
    /// <summary>True when its sender named it.</summary>
    public bool IsNamed => Key is not null && Within is null;

    /// <summary>How a sender repeats it without storing it twice.</summary>
    public string HowToRepeat => IsNamed
        ? "repeat it with the same Idempotency-Key" : $"repeat it as it is within {Within} (http.repeatWindow)";

    /// <summary>
    /// The same request with a key made of its body, where that is allowed: each line has its own time, so that a body
    /// which comes again is the same readings again and never new ones.
    /// </summary>
    public WriteRequest WithBodyAsKey(string path, string name, TimeSpan within) =>
        Key is null && within > TimeSpan.Zero && LineTimes.AreAllGiven(Body.Span)
            ? this with { Key = KeyOf(path, name, $"body {Content():x32}"), Within = within }
            : this;

    /// <summary>A hash of what is sent: body and precision.</summary>
    public UInt128 Content() => XxHash128.HashToUInt128(Body.Span, Precision.Number);

    /// <summary>The key of one of the parts in which it is stored.</summary>
    public static UInt128 PartKey(UInt128 key, int part)
    {
        Span<byte> bytes = stackalloc byte[20];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, key);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], part);
        return XxHash128.HashToUInt128(bytes);
    }

    /// <summary>A request's key, within its path and its sender's name.</summary>
    public static UInt128 KeyOf(string path, string name, string idempotencyKey) =>
        XxHash128.HashToUInt128(Encoding.UTF8.GetBytes($"{path}\n{name}\n{idempotencyKey}"));
}

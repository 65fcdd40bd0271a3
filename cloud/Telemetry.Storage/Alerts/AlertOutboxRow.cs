using System.IO.Hashing;

namespace Telemetry.Storage.Alerts;

/// <summary>
/// The newest row of a partition's alert outbox: its number, and a hash chained over all rows up to it. Two heads are
/// equal only if all rows before them are equal.
/// </summary>
public readonly record struct AlertHead(long Number, UInt128 Chain)
{
    /// <summary>The head before the first row.</summary>
    public static readonly AlertHead None;

    /// <summary>
    /// The head after one more event: XxHash128 over the chain so far, the new number, and the event's bytes.
    /// </summary>
    public AlertHead Next(ReadOnlySpan<byte> json)
    {
        var hash = new XxHash128();
        Span<byte> before = stackalloc byte[24];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(before, Chain);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(before[16..], Number + 1);
        hash.Append(before);
        hash.Append(json);
        return new AlertHead(Number + 1, hash.GetCurrentHashAsUInt128());
    }
}

/// <summary>
/// One row of the alert outbox. Rows of a partition are numbered 1, 2, 3 … without gaps, under the lock of the
/// partition's row.
/// </summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Head">Its number, and the chain including it.</param>
/// <param name="Id">The transition's id.</param>
/// <param name="Json">The transition, see <see cref="AlertTransition.ToJson"/>.</param>
public sealed record AlertOutboxRow(int Partition, AlertHead Head, string Id, ReadOnlyMemory<byte> Json);

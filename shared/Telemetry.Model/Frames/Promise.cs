using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>An epoch and the last sequence sealed in each of its lanes.</summary>
public readonly record struct EpochLasts(ulong Epoch, LaneLasts Lasts);

/// <summary>
/// The agent's promise: no reading older than <paramref name="W"/> is outside of the sequences named here and of the
/// complete epochs with the given digest. It counts only while that digest equals the ledger's.
/// </summary>
/// <param name="W">Microseconds since 1970 UTC.</param>
/// <param name="Epochs">Every open epoch, the run's own first; at most <see cref="EpochsMax"/>.</param>
/// <param name="Digest">See <see cref="CompleteEpochs.Digest"/>.</param>
public sealed record Promise(long W, EpochLasts[] Epochs, ulong Digest)
{
    /// <summary>The most open epochs that a promise can name; with more, W does not advance.</summary>
    public const int EpochsMax = 16;

    /// <summary>Writes all of it, as hellos carry it.</summary>
    public void Write(WireWriter writer)
    {
        writer.Time(W);
        writer.UInt64(Digest);
        writer.Varint((ulong)Epochs.Length);
        foreach (var epoch in Epochs)
        {
            writer.UInt64(epoch.Epoch);
            writer.Varint(epoch.Lasts.Critical);
            writer.Varint(epoch.Lasts.Live);
            writer.Varint(epoch.Lasts.Backlog);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static Promise Read(ref WireReader reader)
    {
        var w = reader.Time();
        var digest = reader.UInt64();
        var epochs = new EpochLasts[reader.Count(EpochsMax, 11)];
        for (var i = 0; i < epochs.Length; i++)
        {
            epochs[i] = new EpochLasts(reader.UInt64(), ReadLasts(ref reader));
        }

        return new Promise(w, epochs, digest);
    }

    internal static LaneLasts ReadLasts(ref WireReader reader) =>
        new(
        reader.Varint(FrameHeader.SequenceMax), reader.Varint(FrameHeader.SequenceMax),
        reader.Varint(FrameHeader.SequenceMax));

    /// <inheritdoc/>
    public bool Equals(Promise? other) =>
        other is not null && W == other.W && Digest == other.Digest && Epochs.AsSpan().SequenceEqual(other.Epochs);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(W, Digest, Epochs.Length);
}

using System.IO.Hashing;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>The digest by which agent and ledger compare the epochs that each calls complete.</summary>
public static class CompleteEpochs
{
    /// <summary>XxHash64 over the epochs' ids and last sequences, sorted by id; 0 when there are none.</summary>
    public static ulong Digest(IEnumerable<EpochLasts> epochs)
    {
        var writer = new WireWriter();
        foreach (var epoch in epochs.OrderBy(e => e.Epoch))
        {
            writer.UInt64(epoch.Epoch);
            writer.Int64(epoch.Lasts.Critical);
            writer.Int64(epoch.Lasts.Live);
            writer.Int64(epoch.Lasts.Backlog);
        }

        return writer.Length == 0 ? 0 : XxHash64.HashToUInt64(writer.Written);
    }
}

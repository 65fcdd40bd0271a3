using System.IO.Hashing;
using Telemetry.Model.Protocol;
using Telemetry.Storage;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Knows of each stored-ack which database it speaks of: the one, counted by how often an older one was put back, in
/// which the last commit of its token happened.
/// </summary>
internal sealed class AckTags
{
    private readonly Dictionary<ulong, int> _committedIn = [];
    private readonly Dictionary<ulong, int> _saidOf = [];

    /// <summary>How often an older database was put back.</summary>
    public int Database { get; private set; }

    public void PutBack() => Database++;

    public void Committed(StoreCommit commit)
    {
        foreach (var step in commit.Partitions)
        {
            _committedIn[step.Expected.Token] = Database;
        }
    }

    /// <summary>An owner says it.</summary>
    public void Said(ReadOnlySpan<byte> ack)
    {
        if (_committedIn.TryGetValue(StoredAck.Read(ack).Token, out var database))
        {
            _saidOf[XxHash64.HashToUInt64(ack)] = database;
        }
    }

    /// <summary>The database that it speaks of; null when no owner ever said it.</summary>
    public int? Of(ReadOnlySpan<byte> ack) =>
        _saidOf.TryGetValue(XxHash64.HashToUInt64(ack), out var database) ? database : null;
}

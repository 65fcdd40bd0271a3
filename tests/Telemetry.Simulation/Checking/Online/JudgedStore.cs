using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>The database as the judges see it: what it has now, and which words speak of it.</summary>
internal sealed class JudgedStore(SimulatedStore store)
{
    private readonly HashSet<(GatewayId, ulong)> _complete = [];

    public StoreIndex Index { get; } = new();

    public AckTags Tags { get; } = new();

    /// <summary>True once the epoch was complete in some database: its shares may be forgotten.</summary>
    public bool WasComplete(GatewayId gateway, ulong epoch) => _complete.Contains((gateway, epoch));

    /// <summary>True when a frame is booked as lost.</summary>
    public bool IsLost(GatewayId gateway, FrameKey frame) => store.Content.Runs.Values.Any(r =>
        r.Gateway == gateway && r.Epoch == frame.Epoch && r.Lane == frame.Lane && r.Run.State == RunState.Lost
        && r.Run.Range.Contains(frame.Range));

    /// <summary>How many sequences of a range are booked as lost.</summary>
    public long LostIn(GatewayId gateway, ulong epoch, Lane lane, SequenceRange range) => store.Content.Runs.Values
        .Where(r => r.Gateway == gateway && r.Epoch == epoch && r.Lane == lane && r.Run.State == RunState.Lost
            && range.Contains(r.Run.Range))
        .Sum(r => r.Run.Range.Count);

    public void Committed(StoreCommit commit)
    {
        Tags.Committed(commit);
        foreach (var epoch in commit.Epochs.Where(e => e.Complete))
        {
            _complete.Add((epoch.Gateway, epoch.Epoch));
        }
    }

    public void PutBack(SimulatedDatabase after)
    {
        Tags.PutBack();
        Index.Rebuild(after);
    }
}

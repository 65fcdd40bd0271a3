using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Computes the shares of prefixes that are cut where an agent's sequences end, for agents that sealed fewer sequences
/// than are settled because their outbox was put back. The share of a cut prefix is the share of the whole prefix minus
/// the shares of the frames behind the cut, which are in the frame register. The gateway determines how many frames
/// these are; therefore a round reads a limited number of rows, and a cut that needs more is continued in the next
/// round. What was read stays valid, since a settled prefix never changes.
/// </summary>
internal sealed class PrefixCuts(IStore store)
{
    /// <summary>The most register rows that a round reads, about 30 ms of work.</summary>
    public const int RowsOfRound = 8_192;

    /// <summary>The most rows of one query of the register.</summary>
    private const int RowsOfLook = 4_096;

    /// <summary>The least that a query counts, in rows.</summary>
    private const int LookWeight = 512;

    private readonly Dictionary<GatewayId, Dictionary<CutPlace, Cut>> _cuts = [];
    private int _room;

    /// <summary>True while the round may read more.</summary>
    public bool Room => _room > 0;

    /// <summary>A new round begins.</summary>
    public void Begin() => _room = RowsOfRound;

    /// <summary>The owner's memory was discarded, and with it what was read.</summary>
    public void Clear() => _cuts.Clear();

    /// <summary>
    /// Continues to read for the cuts that a hello needs. Returns false when the round has no room for the rest;
    /// reading then continues at the next call, also for a newer hello of the gateway.
    /// </summary>
    public async ValueTask<bool> ReadAsync(GatewayLedger gateway, Hello hello, CancellationToken cancellationToken)
    {
        var needed = Needed(gateway, hello);
        if (needed.Count == 0)
        {
            _cuts.Remove(gateway.Gateway);
            return true;
        }

        var before = _cuts.GetValueOrDefault(gateway.Gateway);
        var cuts = _cuts[gateway.Gateway] = [];
        foreach (var (place, ledger) in needed)
        {
            cuts[place] = before is not null && before.TryGetValue(place, out var known)
                ? known : new Cut(place.Last + 1, ledger.Prefix, ledger.PrefixShare);
        }

        foreach (var (place, _) in needed)
        {
            while (!cuts[place].IsWhole)
            {
                if (!Room)
                {
                    return false;
                }

                cuts[place] = await NextAsync(gateway.Gateway, place, cuts[place], cancellationToken);
            }
        }

        return true;
    }

    /// <summary>Takes the shares that were read for a gateway, by the epoch and lane that are cut.</summary>
    public IReadOnlyDictionary<(ulong Epoch, Lane Lane), ulong> Take(GatewayId gateway) =>
        _cuts.Remove(gateway, out var cuts) ? cuts.ToDictionary(c => (c.Key.Epoch, c.Key.Lane), c => c.Value.Share)
            : new Dictionary<(ulong, Lane), ulong>();

    private static List<(CutPlace Place, LaneLedger Ledger)> Needed(GatewayLedger gateway, Hello hello)
    {
        var needed = new List<(CutPlace, LaneLedger)>();
        foreach (var told in hello.Epochs)
        {
            if (!gateway.Epochs.TryGetValue(told.Epoch, out var epoch) || epoch.Complete)
            {
                continue;
            }

            for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
            {
                if (told.Lanes[(int)lane].LastSealed is > 0 and var last && last < epoch[lane].Prefix)
                {
                    needed.Add((new CutPlace(told.Epoch, lane, last), epoch[lane]));
                }
            }
        }

        return needed;
    }

    private async ValueTask<Cut> NextAsync(
        GatewayId gateway, CutPlace place, Cut cut, CancellationToken cancellationToken)
    {
        var frames = await store.FindFramesAsync(
            gateway, place.Epoch, place.Lane, new SequenceRange(cut.Next, cut.End), RowsOfLook, cancellationToken);
        _room -= Math.Max(frames.Count, LookWeight);
        var share = cut.Share;
        foreach (var frame in frames)
        {
            // A frame that the cut goes through belongs to the prefix: the agent then finds that its own frame differs.
            share -= frame.Key.First > place.Last ? frame.Key.Share(frame.Checksum) : 0;
        }

        return new Cut(frames.Count < RowsOfLook ? cut.End + 1 : frames[^1].Key.Last + 1, cut.End, share);
    }

    /// <summary>The place where a prefix is cut.</summary>
    private readonly record struct CutPlace(ulong Epoch, Lane Lane, long Last);

    /// <summary>The share of a prefix, without the frames behind the cut and before <paramref name="Next"/>.</summary>
    private readonly record struct Cut(long Next, long End, ulong Share)
    {
        public bool IsWhole => Next > End;
    }
}

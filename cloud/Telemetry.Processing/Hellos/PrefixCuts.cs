using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Prefixes cut where an agent's sequences end, for agents that sealed fewer than are settled: their outbox was put
/// back. The share of such a prefix is that of the whole one less the shares of the frames behind the cut, which stand
/// in the frame register. A gateway decides how many frames that are: so a round reads a bounded number of them, and a
/// cut that needs more goes on in the next one. What was read stays right, since a settled prefix never changes.
/// </summary>
internal sealed class PrefixCuts(IStore store)
{
    /// <summary>The most rows of the register that a round reads, some 30 ms of work.</summary>
    public const int RowsOfRound = 8_192;

    /// <summary>The most rows of one look into the register.</summary>
    private const int RowsOfLook = 4_096;

    /// <summary>What a look counts at least, in rows.</summary>
    private const int LookWeight = 512;

    private readonly Dictionary<GatewayId, Dictionary<CutPlace, Cut>> _cuts = [];
    private int _room;

    /// <summary>True while the round may read more.</summary>
    public bool Room => _room > 0;

    /// <summary>A new round begins.</summary>
    public void Begin() => _room = RowsOfRound;

    /// <summary>The owner's memory is gone, and with it what was read.</summary>
    public void Clear() => _cuts.Clear();

    /// <summary>
    /// Reads on for the cuts that a hello needs. False when the round has no room for the rest: then it goes on at the
    /// next call, also for a newer hello of the gateway.
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

    /// <summary>Takes what was read of a gateway, by the epoch and lane that are cut.</summary>
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
            // One that the cut goes through belongs to the prefix: the agent finds that its own differs.
            share -= frame.Key.First > place.Last ? frame.Key.Share(frame.Checksum) : 0;
        }

        return new Cut(frames.Count < RowsOfLook ? cut.End + 1 : frames[^1].Key.Last + 1, cut.End, share);
    }

    /// <summary>Where a prefix is cut.</summary>
    private readonly record struct CutPlace(ulong Epoch, Lane Lane, long Last);

    /// <summary>The share of a prefix, without the frames behind the cut and before <paramref name="Next"/>.</summary>
    private readonly record struct Cut(long Next, long End, ulong Share)
    {
        public bool IsWhole => Next > End;
    }
}

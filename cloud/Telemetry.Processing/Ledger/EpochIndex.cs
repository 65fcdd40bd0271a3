using System.Diagnostics.CodeAnalysis;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// The epochs of one gateway: by id, by predecessor, the open ones, and the complete ones in the order of their digest.
/// No lookup visits all of them, so that a gateway that names many epochs costs no more for each.
/// </summary>
internal sealed class EpochIndex
{
    /// <summary>
    /// The most epochs of which no frame ever arrived: as many as one honest hello may name after the database was
    /// lost.
    /// </summary>
    public const int NamedMax = Hello.CompleteMax + Hello.EpochsMax;

    /// <summary>The most epochs of a gateway; an agent that starts once an hour needs seven years for them.</summary>
    public const int EpochsMax = 65_536;

    private readonly EpochsById _all = new();
    private readonly Dictionary<ulong, (EpochLedger First, LaneLasts Lasts)> _successors = [];
    private readonly HashSet<EpochLedger> _open = [];
    private readonly HashSet<EpochLedger> _named = [];
    private readonly SortedDictionary<ulong, LaneLasts> _complete = [];
    private ulong? _digest;

    /// <summary>The number of epochs.</summary>
    public int Count => _all.Count;

    /// <summary>The number of epochs that were only named: no frame of them was ever settled.</summary>
    public int Named => _named.Count;

    /// <summary>All epochs. Enumerating them is counted, see <see cref="Visited"/>.</summary>
    public IEnumerable<EpochLedger> Values => _all.Values;

    /// <summary>How many epochs were visited by enumeration so far.</summary>
    public long Visited => _all.Visited;

    /// <summary>The epochs that are not complete.</summary>
    public IReadOnlyCollection<EpochLedger> Open => _open;

    /// <summary>The epochs that are complete.</summary>
    public IEnumerable<EpochLedger> Complete => _complete.Keys.Select(id => _all.Get(id));

    /// <summary>See <see cref="CompleteEpochs.Digest"/>.</summary>
    public ulong Digest => _digest ??= CompleteEpochs.Digest(_complete.Select(e => new EpochLasts(e.Key, e.Value)));

    /// <summary>Finds an epoch.</summary>
    public bool TryGetValue(ulong id, [MaybeNullWhen(false)] out EpochLedger epoch) => _all.TryGetValue(id, out epoch);

    /// <summary>Adds an epoch that is new here.</summary>
    public void Add(EpochLedger epoch)
    {
        _all.Add(epoch.Epoch, epoch);
        if (epoch.Predecessor is { } predecessor)
        {
            Follows(epoch, predecessor);
        }

        if (epoch.Epoch != 0 && _successors.TryGetValue(epoch.Epoch, out var successors))
        {
            epoch.Name(successors.Lasts);
        }

        if (epoch.Complete)
        {
            _complete[epoch.Epoch] = epoch.Lasts;
        }
        else
        {
            _open.Add(epoch);
        }

        if (!epoch.HasFrame)
        {
            _named.Add(epoch);
        }
    }

    /// <summary>Records an epoch's predecessor. Returns another epoch that follows the same one.</summary>
    public EpochLedger? Follow(EpochLedger epoch, Predecessor predecessor)
    {
        epoch.Follow(predecessor);
        return Follows(epoch, predecessor);
    }

    /// <summary>A frame of the epoch is settled.</summary>
    public void Proven(EpochLedger epoch) => _named.Remove(epoch);

    /// <summary>Marks an epoch as complete.</summary>
    public void Close(EpochLedger epoch)
    {
        epoch.Close();
        _open.Remove(epoch);
        _complete[epoch.Epoch] = epoch.Lasts;
        _digest = null;
    }

    /// <summary>Opens a complete epoch again.</summary>
    public void Reopen(EpochLedger epoch)
    {
        epoch.Reopen();
        _open.Add(epoch);
        _complete.Remove(epoch.Epoch);
        _digest = null;
    }

    private EpochLedger? Follows(EpochLedger epoch, Predecessor predecessor)
    {
        if (predecessor.Epoch != 0 && _all.TryGetValue(predecessor.Epoch, out var before))
        {
            before.Name(predecessor.Lasts);
        }

        if (!_successors.TryGetValue(predecessor.Epoch, out var others))
        {
            _successors[predecessor.Epoch] = (epoch, predecessor.Lasts);
            return null;
        }

        _successors[predecessor.Epoch] = (others.First, LaneLasts.Max(others.Lasts, predecessor.Lasts));
        return others.First == epoch ? null : others.First;
    }

    /// <summary>Epochs by their id. Enumerating them is counted.</summary>
    private sealed class EpochsById
    {
        private readonly Dictionary<ulong, EpochLedger> _epochs = [];

        public int Count => _epochs.Count;

        public long Visited { get; private set; }

        public IEnumerable<EpochLedger> Values
        {
            get
            {
                foreach (var epoch in _epochs.Values)
                {
                    Visited++;
                    yield return epoch;
                }
            }
        }

        public EpochLedger Get(ulong id) => _epochs[id];

        public void Add(ulong id, EpochLedger epoch) => _epochs.Add(id, epoch);

        public bool TryGetValue(ulong id, [MaybeNullWhen(false)] out EpochLedger epoch) =>
            _epochs.TryGetValue(id, out epoch);
    }
}

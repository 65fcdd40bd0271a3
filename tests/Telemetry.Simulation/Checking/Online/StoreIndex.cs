using Telemetry.Model.Identity;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>The frame register and the readings of the database as it stands, to be asked frame by frame.</summary>
internal sealed class StoreIndex
{
    private readonly Dictionary<(GatewayId, ulong, Lane), SortedList<long, FrameRegisterRow>> _lanes = [];
    private readonly HashSet<ulong> _readings = [];

    /// <summary>Another database took this one's place.</summary>
    public void Rebuild(SimulatedDatabase database)
    {
        _lanes.Clear();
        _readings.Clear();
        foreach (var row in SimulatedDatabase.All(database.Frames))
        {
            TryAdd(row, out _);
        }

        foreach (var reading in SimulatedDatabase.All(database.Readings))
        {
            _readings.Add(reading.Hash);
        }
    }

    /// <summary>Adds a settled frame; false where another one has a part of its range.</summary>
    public bool TryAdd(FrameRegisterRow row, out FrameRegisterRow? other)
    {
        var frames = Of(row.Gateway, row.Key.Epoch, row.Key.Lane);
        other = frames.Count == 0 || frames.GetValueAtIndex(frames.Count - 1).Key.Last < row.Key.First
            ? null : frames.Values.FirstOrDefault(f => f.Key.Range.Overlaps(row.Key.Range));
        frames[row.Key.First] = row;
        return other is null;
    }

    /// <summary>Adds a reading; false where it is stored already.</summary>
    public bool TryAdd(ulong reading) => _readings.Add(reading);

    /// <summary>A settled frame; null when it is not settled.</summary>
    public FrameRegisterRow? Find(GatewayId gateway, FrameKey key) =>
        Of(gateway, key.Epoch, key.Lane).GetValueOrDefault(key.First) is { } row && row.Key == key ? row : null;

    /// <summary>
    /// How many sequences of a range are settled by frames that lie in it, and the sum of their shares.
    /// </summary>
    public (long Count, ulong Share) Covered(GatewayId gateway, ulong epoch, Lane lane, SequenceRange range)
    {
        var (count, share) = (0L, 0UL);
        foreach (var row in Of(gateway, epoch, lane).Values)
        {
            if (range.Contains(row.Key.Range))
            {
                count += row.Key.Count;
                share += row.Key.Share(row.Checksum);
            }
        }

        return (count, share);
    }

    private SortedList<long, FrameRegisterRow> Of(GatewayId gateway, ulong epoch, Lane lane) =>
        _lanes.TryGetValue((gateway, epoch, lane), out var frames) ? frames : _lanes[(gateway, epoch, lane)] = [];
}

using Telemetry.Edge.Outbox;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>A frame as its gateway's disk got it.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Checksum">The checksum at its end.</param>
/// <param name="Hashes">The hashes of its readings; none in a tombstone.</param>
/// <param name="Dropped">How many of its sequences are declared dropped or refused.</param>
internal sealed record SealedFrame(FrameKey Key, ulong Checksum, IReadOnlyList<ulong> Hashes, int Dropped);

/// <summary>
/// Every frame that a gateway ever made durable, whatever became of it, and which frames each reading is in. A
/// tombstone takes the place of the frame that it replaces.
/// </summary>
internal sealed class SealedFrames(GatewayId gateway)
{
    private readonly Dictionary<FrameKey, SealedFrame> _frames = [];
    private readonly Dictionary<FrameKey, SealedFrame> _replaced = [];
    private readonly Dictionary<ulong, List<FrameKey>> _byReading = [];
    private readonly ReadingBatch _batch = new();
    private SeriesList? _series;

    public IReadOnlyCollection<SealedFrame> All => _frames.Values;

    /// <summary>A frame; null when no agent of the gateway sealed it.</summary>
    public SealedFrame? Find(FrameKey key) => _frames.GetValueOrDefault(key);

    /// <summary>
    /// The frame with that checksum, where a tombstone took its place: a copy of it may still have been on its way.
    /// </summary>
    public SealedFrame? Find(FrameKey key, ulong checksum) =>
        _replaced.GetValueOrDefault(key) is { } replaced && replaced.Checksum == checksum ? replaced : Find(key);

    /// <summary>The frames that hold a reading: one, or more where an older copy of the outbox was put back.</summary>
    public IReadOnlyList<FrameKey> Of(ulong reading) => _byReading.GetValueOrDefault(reading, []);

    /// <summary>A commit became durable on a disk of the gateway.</summary>
    public void Durable(OutboxCommit commit, OutboxSnapshot disk)
    {
        foreach (var row in commit.Frames)
        {
            if (!row.Data.IsEmpty && !(_frames.TryGetValue(row.Key, out var known) && known.Checksum == row.Checksum))
            {
                Add(row, disk);
            }
        }
    }

    private void Add(FrameRow row, OutboxSnapshot disk)
    {
        if (_series?.Id != disk.SchemaId)
        {
            _series = EdgeContent.Series(gateway, disk);
        }

        _batch.Clear();
        FrameReader.Read(row.Data.Span, _series.Types, _batch, []);
        var hashes = EdgeContent.Hashes(_batch, _series);
        if (_frames.TryGetValue(row.Key, out var replaced))
        {
            _replaced[row.Key] = replaced;
        }

        foreach (var hash in replaced?.Hashes ?? [])
        {
            _byReading[hash].Remove(row.Key);
        }

        _frames[row.Key] = new SealedFrame(row.Key, row.Checksum, hashes, row.Dropped);
        foreach (var hash in hashes)
        {
            if (!_byReading.TryGetValue(hash, out var frames))
            {
                _byReading[hash] = frames = [];
            }

            frames.Add(row.Key);
        }
    }
}

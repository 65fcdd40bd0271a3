using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// Sealed frames by a seed: of every version, tombstones too, with every part that a header may have or lack.
/// </summary>
internal sealed class RandomFrames(Random random)
{
    private const int ColumnBytesMax = FrameHeader.BytesMax - 1024;
    private const int DeclarationsMax = 6, DeclaredMax = 50, OthersMax = Promise.EpochsMax - 1;

    private readonly RandomReadings _readings = new(random);
    private readonly WireWriter _writer = new(FrameHeader.BytesMax);
    private readonly WireWriter _columns = new(FrameHeader.BytesMax);

    /// <summary>The types of the series of the last frame's schema.</summary>
    public MetricType[] Types => _readings.Types;

    /// <summary>Makes another frame.</summary>
    public byte[] Next()
    {
        bool fitsPlain;
        do
        {
            _readings.Next();
            fitsPlain = ReadingColumns.Bytes(_readings.Batch, _readings.Order, Types) <= ColumnBytesMax;
        }
        while (!fitsPlain && CompactBytes() > ColumnBytesMax);

        var isTombstone = fitsPlain && random.Next(12) == 0;
        var order = isTombstone ? [] : _readings.Order;
        var mayDeclare = order.Length <= FrameHeader.CountMax - (DeclarationsMax * DeclaredMax);
        var declarations = isTombstone || (mayDeclare && random.Next(4) == 0) ? Declarations() : [];
        var dropped = declarations.Sum(d => d.Count);
        var lane = (Lane)random.Next(Lanes.Count);
        var key = new FrameKey(
            (ulong)random.NextInt64(1, long.MaxValue), lane, FirstSequence(), order.Length + dropped);
        _writer.Clear();
        FrameWriter.Write(
            _writer,
            new FrameHeader
            {
                Version = (byte)(fitsPlain && random.Next(6) == 0 ? 0 : 1),
                Kind = isTombstone ? FrameKind.Tombstone : FrameKind.Readings,
                Key = key,
                Dropped = dropped,
                Schema = new SchemaId((ulong)random.NextInt64(), (ulong)random.NextInt64()),
                Predecessor = random.Next(3) == 0 ? new Predecessor((ulong)random.NextInt64(), Lasts()) : null,
                Promise = random.Next(2) == 0 ? PromiseOf(key) : null,
            },
            declarations,
            _readings.Batch,
            order,
            Types);
        return _writer.ToArray();
    }

    private int CompactBytes()
    {
        _columns.Clear();
        CompactColumns.Write(_columns, _readings.Batch, _readings.Order, Types);
        return _columns.Length;
    }

    private Declaration[] Declarations()
    {
        var declarations = new Declaration[random.Next(1, DeclarationsMax + 1)];
        for (var i = 0; i < declarations.Length; i++)
        {
            var first = random.NextInt64(WireReader.TimeMin, WireReader.TimeMax);
            var last = random.NextInt64(first, WireReader.TimeMax);
            declarations[i] = new Declaration(
                random.Next(Types.Length), random.Next(1, DeclaredMax + 1), first, last, (DropReason)random.Next(1, 6));
        }

        return declarations;
    }

    private Promise PromiseOf(FrameKey key)
    {
        var epochs = new EpochLasts[1 + (random.Next(2) == 0 ? random.Next(OthersMax + 1) : 0)];
        epochs[0] = new EpochLasts(key.Epoch, Lasts().With(key.Lane, key.Last));
        for (var i = 1; i < epochs.Length; i++)
        {
            epochs[i] = new EpochLasts((ulong)random.NextInt64(1, long.MaxValue), Lasts());
        }

        return new Promise(
            random.NextInt64(WireReader.TimeMin, WireReader.TimeMax),
            epochs,
            random.Next(2) == 0 ? 0 : (ulong)random.NextInt64());
    }

    private long FirstSequence() =>
        random.Next(3) == 0
            ? random.NextInt64(1, FrameHeader.SequenceMax - FrameHeader.CountMax) : random.Next(1, 100_000);

    private LaneLasts Lasts() =>
        new(random.Next(100), random.NextInt64(FrameHeader.SequenceMax + 1), random.Next(1_000_000));
}

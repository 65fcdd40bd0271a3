using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>Any readings in, the same out, bit for bit. eng/fuzz.sh runs more rounds, and others.</summary>
public class CompactColumnsTests
{
    /// <summary>Of a frame; the framework's deflater alone takes it.</summary>
    private const int AllocatedMax = 200;

    /// <summary>The framework's inflater, which is made anew for each frame with deflated texts.</summary>
    private const int InflatingMax = 300;

    private readonly WireWriter _writer = new();
    private readonly ReadingBatch _back = new();

    [Fact]
    public void Random_readings_come_back_as_they_were()
    {
        var readings = new RandomReadings(new Random(FuzzSettings.Seed));
        for (var round = 0; round < FuzzSettings.Rounds; round++)
        {
            readings.Next();
            AssertComesBack(readings.Batch, readings.Types, $"seed {FuzzSettings.Seed}, round {round}");
        }
    }

    /// <summary>Only the mark at the end of deflated texts may be missing: the texts are whole without it.</summary>
    [Fact]
    public void Columns_cut_anywhere_are_refused_or_lose_nothing()
    {
        var readings = new RandomReadings(new Random(8));
        for (var round = 0; round < 20; round++)
        {
            readings.Next();
            Write(readings);
            var bytes = _writer.ToArray();
            for (var length = 0; length < bytes.Length; length += 1 + (length / 64))
            {
                if (!IsRefused(bytes.AsSpan(0, length), readings.Batch.Count, readings.Types))
                {
                    Assert.True(readings.Batch.TextBytes > 0, $"round {round} cut to {length} of {bytes.Length}");
                    var which = $"round {round} cut to {length} of {bytes.Length}";
                    AssertSame(readings.Batch, readings.Order, readings.Types, which);
                }
            }
        }
    }

    /// <summary>A reading costs no more than a few bytes of memory, whatever the few bits that state it.</summary>
    [Fact]
    public void Few_bytes_never_make_more_text_than_a_frame_may_have()
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < 8192; i++)
        {
            batch.AddText(0, i, i == 0 ? "x" : new string('y', 7));
        }

        Write(batch, [MetricType.Text]);
        var reader = new WireReader(_writer.Written);
        CompactColumns.Read(ref reader, _back, 8192, [MetricType.Text]);
        Assert.Equal(8, _back.TextBytes);

        batch.Clear();
        for (var i = 0; i < 8192; i++)
        {
            batch.AddText(0, i, new string('y', 9));
        }

        Write(batch, [MetricType.Text]);
        Assert.Throws<WireFormatException>(() =>
        {
            var over = new WireReader(_writer.Written);
            CompactColumns.Read(ref over, new ReadingBatch(), 8192, [MetricType.Text]);
        });
    }

    [Fact]
    public void Doubles_of_every_kind_come_back()
    {
        double[] values =
        [
            0.0, -0.0, double.NaN, BitConverter.UInt64BitsToDouble(0xfff8_dead_beef_0001), double.PositiveInfinity,
            double.Epsilon, -double.Epsilon, double.MaxValue, double.MinValue, 0.1, 0.1 + 0.2, 1e22, 1e23,
            74.93588199999998, 0.00479298817650529, 2251799813685247, 2251799813685248, -2251799813685248,
            9007199254740993, 1.0 / 3, 5e-17,
        ];
        var batch = new ReadingBatch();
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, i, values[i]);
            batch.Add(1 + i, 0, values[i]);
        }

        AssertComesBack(batch, [.. Enumerable.Repeat(MetricType.Float, values.Length + 1)], "every kind");
    }

    [Fact]
    public void Integers_at_their_limits_come_back()
    {
        var batch = new ReadingBatch();
        ulong[] values = [0, ulong.MaxValue, 1UL << 63, (1UL << 63) - 1, 1, 1UL << 49, (1UL << 49) - 1];
        for (var i = 0; i < 200; i++)
        {
            batch.Add(0, long.MinValue + i, values[i % values.Length]);
            batch.Add(1, long.MaxValue - 200 + i, values[i * i % values.Length]);
        }

        AssertComesBack(batch, [MetricType.Int, MetricType.UInt], "limits");
    }

    [Fact]
    public void Readings_add_to_a_batch_that_has_others()
    {
        var batch = Samples.Readings();
        var order = new int[batch.Count];
        batch.Order(order);
        CompactColumns.Write(_writer, batch, order, Samples.Series().Types);
        _back.AddText(4, 0, "before");
        var reader = new WireReader(_writer.Written);

        CompactColumns.Read(ref reader, _back, batch.Count, Samples.Series().Types);

        Assert.Equal("grün"u8, _back.Text(_back.Bits[^1]));
        Assert.Equal("before"u8, _back.Text(_back.Bits[0]));
    }

    [Fact]
    public void Repeated_text_is_put_once_and_shared()
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < 500; i++)
        {
            batch.AddText(0, i, i % 2 == 0 ? "the pump is running" : "the pump stands still");
        }

        AssertComesBack(batch, [MetricType.Text], "repeated");

        Assert.InRange(_writer.Length, 1, 200);
        Assert.Equal("the pump is runningthe pump stands still".Length, _back.TextBytes);
    }

    [Fact]
    public void What_cannot_be_made_smaller_takes_one_byte_more_than_plain()
    {
        var random = new Random(3);
        var batch = new ReadingBatch();
        for (var i = 0; i < 1000; i++)
        {
            var time = random.NextInt64(long.MinValue, long.MaxValue);
            batch.Add(i, time, (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        }

        MetricType[] types = [.. Enumerable.Repeat(MetricType.Float, 1000)];
        AssertComesBack(batch, types, "noise");

        Assert.InRange(_writer.Length, 1, 1 + ReadingColumns.Bytes(batch, [.. Enumerable.Range(0, 1000)], types));
    }

    [Fact]
    public void A_warm_writer_and_reader_allocate_next_to_nothing()
    {
        var readings = new RandomReadings(new Random(2));
        for (var round = 0; round < 200; round++)
        {
            readings.Next();
            var (written, read) = Allocated(readings.Batch, readings.Order, readings.Types, InflatingMax);

            Assert.InRange(written, 0, AllocatedMax);
            Assert.InRange(read, 0, InflatingMax);
        }
    }

    [Fact]
    public void A_warm_writer_and_reader_of_deflated_texts_allocate_next_to_nothing()
    {
        var texts = new TextReadings(new Random(7));
        for (var round = 0; round < 50; round++)
        {
            var batch = texts.Lines(100);
            var order = new int[batch.Count];
            batch.Order(order);
            var (written, read) = Allocated(batch, order, [MetricType.Text], enough: 0);

            Assert.InRange(_writer.Length, 1, batch.TextBytes / 3);
            Assert.InRange(written, 0, AllocatedMax);
            Assert.InRange(read, 1, InflatingMax);
        }
    }

    private void Write(RandomReadings readings)
    {
        _writer.Clear();
        CompactColumns.Write(_writer, readings.Batch, readings.Order, readings.Types);
    }

    private void Write(ReadingBatch batch, MetricType[] types)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        _writer.Clear();
        CompactColumns.Write(_writer, batch, order, types);
    }

    private (long Written, long Read) Allocated(ReadingBatch batch, int[] order, MetricType[] types, long enough)
    {
        var written = AllocatedBytes.Of(
            () =>
            {
                _writer.Clear();
                CompactColumns.Write(_writer, batch, order, types);
            },
            enough);
        var read = AllocatedBytes.Of(
            () =>
            {
                var reader = new WireReader(_writer.Written);
                _back.Clear();
                CompactColumns.Read(ref reader, _back, batch.Count, types);
            },
            enough);
        return (written, read);
    }

    private bool IsRefused(ReadOnlySpan<byte> columns, int count, MetricType[] types)
    {
        try
        {
            _back.Clear();
            var reader = new WireReader(columns);
            CompactColumns.Read(ref reader, _back, count, types);
            return false;
        }
        catch (WireFormatException)
        {
            return true;
        }
    }

    private void AssertComesBack(ReadingBatch batch, MetricType[] types, string which)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        _writer.Clear();
        CompactColumns.Write(_writer, batch, order, types);
        var plain = ReadingColumns.Bytes(batch, order, types);
        Assert.True(_writer.Length <= plain + 1, $"{_writer.Length} bytes, plain {plain}: {which}");
        var reader = new WireReader(_writer.Written);
        _back.Clear();
        CompactColumns.Read(ref reader, _back, batch.Count, types);
        reader.End();
        AssertSame(batch, order, types, which);
    }

    private void AssertSame(ReadingBatch batch, int[] order, MetricType[] types, string which)
    {
        for (var i = 0; i < order.Length; i++)
        {
            var row = order[i];
            var same = batch.Series[row] == _back.Series[i] && batch.Times[row] == _back.Times[i]
                && batch.Flags[row] == _back.Flags[i]
                && (types[batch.Series[row]] == MetricType.Text && (batch.Flags[row] & ReadingFlags.Null) == 0
                    ? batch.Text(batch.Bits[row]).SequenceEqual(_back.Text(_back.Bits[i]))
                    : batch.Bits[row] == _back.Bits[i]);
            var series = batch.Series[row];
            Assert.True(same, $"reading {i} of {order.Length} of series {series} ({types[series]}): {which}");
        }
    }
}

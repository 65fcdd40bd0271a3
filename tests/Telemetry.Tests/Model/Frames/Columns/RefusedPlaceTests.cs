using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>A refusal describes the fault and its place, in bytes that there are.</summary>
public class RefusedPlaceTests
{
    [Fact]
    public void Columns_that_are_cut_are_refused_at_a_place_that_they_have()
    {
        var random = new Random(33);
        var batch = new ReadingBatch();
        for (var i = 0; i < 40; i++)
        {
            batch.Add(i / 4, (i % 4 * 1_000_000L) + random.Next(2000), (ulong)random.Next(100_000));
        }

        MetricType[] types = [.. Enumerable.Repeat(MetricType.Int, 10)];
        var order = new int[batch.Count];
        batch.Order(order);
        var writer = new WireWriter();
        CompactColumns.Write(writer, batch, order, types);
        var bytes = writer.ToArray();
        for (var length = 1; length < bytes.Length; length++)
        {
            var refusal = Assert.Throws<WireFormatException>(() =>
            {
                var reader = new WireReader(bytes.AsSpan(0, length));
                CompactColumns.Read(ref reader, new ReadingBatch(), batch.Count, types);
            });

            Assert.InRange(refusal.Offset, 0, length);
        }
    }
}

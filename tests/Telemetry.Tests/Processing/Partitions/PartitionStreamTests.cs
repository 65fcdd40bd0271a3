using Telemetry.Model.Protocol;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>
/// Where reading of a stream begins. Its messages are 1 to 5, and the database says that message 3 was the last one.
/// </summary>
public sealed class PartitionStreamTests
{
    private readonly Pump _pump = new();
    private readonly SimulatedFrameLog _log;

    public PartitionStreamTests() => _log = new SimulatedFrameLog(_pump, new Random(1));

    [Fact]
    public void Reading_goes_on_behind_the_position_where_the_log_still_has_its_message() =>
        Assert.Equal(3, Begin(position => position));

    [Fact]
    public void Another_message_in_the_position_means_a_log_that_was_put_back_and_is_read_from_its_first() =>
        Assert.Equal(0, Begin(position => position with { MessageId = "another" }));

    [Fact]
    public void So_does_the_same_message_that_was_stored_at_another_time() =>
        Assert.Equal(0, Begin(position => position with { StoredAtNanos = position.StoredAtNanos + 1 }));

    [Fact]
    public void Stream_that_was_made_anew_is_read_from_its_first_message() =>
        Assert.Equal(0, Begin(position => position with { StreamCreatedNanos = position.StreamCreatedNanos - 1 }));

    [Fact]
    public void Stream_that_ends_before_the_position_is_read_from_its_first_message() =>
        Assert.Equal(0, Begin(position => position with { Sequence = 6 }));

    [Fact]
    public void Position_that_aged_out_is_read_on_from_the_first_message_that_is_left() =>
        Assert.Equal(4, Begin(position => position, purgedBelow: 5));

    [Fact]
    public void Message_in_a_position_whose_message_was_gone_means_a_log_that_was_put_back_too() =>
        Assert.Equal(0, Begin(position => position with { MessageId = "", StoredAtNanos = 0 }));

    [Fact]
    public void Reading_goes_on_behind_a_position_whose_message_is_gone_still() =>
        Assert.Equal(3, Begin(position => position with { MessageId = "", StoredAtNanos = 0 }, purgedBelow: 4));

    /// <summary>The sequence behind which reading begins.</summary>
    private long Begin(Func<StreamPosition, StreamPosition> altered, long purgedBelow = 0)
    {
        var sequence = -1L;
        _pump.Run(async () =>
        {
            await _log.EnsureStreamsAsync(0, default);
            for (var i = 1; i <= 5; i++)
            {
                await _log.AppendAsync(0, StreamKind.Live, Samples.Gateway, $"message {i}", new byte[] { 1 }, default);
            }

            var message = (await _log.ReadAsync(0, StreamKind.Live, 3, default))!;
            var created = (await _log.StateAsync(0, StreamKind.Live, default))!.Value.CreatedNanos;
            await using var stream = new PartitionStream(_log, 0, StreamKind.Live, new Signal());
            stream.Position = altered(new StreamPosition(created, 3, message.MessageId, message.StoredAtNanos));
            _log.Purge(0, StreamKind.Live, purgedBelow);
            await stream.BeginAsync(default);
            sequence = stream.Position.Sequence;
        });
        return sequence;
    }
}

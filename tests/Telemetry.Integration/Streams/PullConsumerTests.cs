using NATS.Client.Core;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Time;
using static Telemetry.Integration.Streams.NatsClients;

namespace Telemetry.Integration.Streams;

public sealed class PullConsumerTests
{
    /// <summary>A credit of so many messages, and a task that completes when it is used up.</summary>
    private static (PullConsumerOptions Options, Task Full) Filling(int messages)
    {
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var delivered = 0;
        return (Quick with { MessagesMax = messages, Readable = Count }, full.Task);

        void Count()
        {
            if (++delivered == messages)
            {
                full.SetResult();
            }
        }
    }

    /// <summary>All pulls of the stream's consumers from now on.</summary>
    private static async Task<INatsSub<string>> WatchPulls(JetStreamConnection connection)
    {
        var pulls = await connection.Nats.SubscribeCoreAsync<string>("$JS.API.CONSUMER.MSG.NEXT.S.*");
        await connection.Nats.PingAsync();
        return pulls;
    }

    /// <summary>
    /// Waits until a consumer that is sent nothing has pulled three times, so that two pulls have expired.
    /// </summary>
    private static async Task UntilTwoExpired(INatsSub<string> pulls, PullConsumer consumer)
    {
        for (var pulled = 0; pulled < 3;)
        {
            var pull = await pulls.Msgs.ReadAsync(Limit());
            pulled += pull.Subject.EndsWith($".{consumer.Name}", StringComparison.Ordinal) ? 1 : 0;
        }
    }

    [NatsFact]
    public async Task A_consumer_reads_from_its_start_on_in_order_beyond_its_credit()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 3000);
        await using var consumer = await connection.Begin(11, new() { MessagesMax = 64, BytesMax = 2048 });

        var messages = await Read(consumer, 2990);

        Assert.Equal(Enumerable.Range(11, 2990).Select(i => (ulong)i), messages.Select(m => m.Sequence));
        Assert.Equal(Enumerable.Range(11, 2990).Select(i => $"{i}"), messages.Select(m => m.Text()));
        Assert.Equal("m11", messages[0].MessageId);
        Assert.Equal("S.a", messages[0].Subject);
        Assert.Null(consumer.End);
    }

    [NatsFact]
    public async Task A_start_at_the_end_waits_over_pulls_that_expire()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 2);
        await using var pulls = await WatchPulls(connection);
        await using var consumer = await connection.Begin(3, Quick);
        await UntilTwoExpired(pulls, consumer);
        Assert.Null(consumer.End);

        await connection.Publish(3, 5);

        Assert.Equal([3ul, 4ul, 5ul], (await Read(consumer, 3)).Select(m => m.Sequence));
    }

    [NatsFact]
    public async Task A_start_far_beyond_the_end_is_a_jump_once_the_server_delivers_from_the_end()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 2);
        await using var consumer = await connection.Begin(10, Quick);
        await connection.Publish(3, 3);

        var end = await ReadToEnd(consumer);

        Assert.Equal((PullConsumerEndReason.Jump, 10ul, 3ul), (end.Reason, end.ExpectedSequence, end.GotSequence));
    }

    [NatsFact]
    public async Task A_start_below_the_first_message_begins_with_the_first_and_says_so()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 10);
        await connection.Purge(6);

        await using var consumer = await connection.Begin(2);

        Assert.Equal(6ul, (await Read(consumer, 1))[0].Sequence);
    }

    [NatsFact]
    public async Task A_message_larger_than_the_byte_credit_is_fetched_alone()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        foreach (var size in new[] { 10, 1500, 10, 5000, 700_000, 10 })
        {
            await connection.Publish(new byte[size]);
        }

        await using var consumer = await connection.Begin(1, new() { BytesMax = 2048 });

        Assert.Equal([10, 1500, 10, 5000, 700_000, 10], (await Read(consumer, 6)).Select(m => m.Data.Length));
    }

    [NatsFact]
    public async Task A_slow_reader_is_not_sent_more_than_its_credit()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 500);
        var (options, full) = Filling(10);
        await using var consumer = await connection.Begin(1, options);
        await full.WaitAsync(Limit());

        // Another consumer, which waits at the end, tells when pulls would have expired.
        await using var pulls = await WatchPulls(connection);
        await using var other = await connection.Begin(501, Quick);
        await UntilTwoExpired(pulls, other);

        for (var read = 0; read < 10; read++)
        {
            Assert.True(consumer.TryRead(out _));
        }

        Assert.False(consumer.TryRead(out _));
        Assert.Equal(11ul, (await Read(consumer, 1))[0].Sequence);
        Assert.Null(consumer.End);
    }

    [NatsFact]
    public async Task Every_message_is_seen_when_the_server_is_killed_while_consuming()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 5000);
        var seen = new List<StoredMessage>();
        var ends = new List<PullConsumerEnd>();
        while (seen.Count < 5000)
        {
            await using var consumer = await connection.Begin((ulong)seen.Count + 1, Quick with { MessagesMax = 200 });
            while (seen.Count < 5000 && await consumer.WaitToReadAsync(Limit()))
            {
                while (seen.Count < 5000 && consumer.TryRead(out var message))
                {
                    seen.Add(message);
                }

                if (seen.Count >= 1500 && ends.Count == 0)
                {
                    await server.Restart();
                }
            }

            if (consumer.End is { } end)
            {
                ends.Add(end);
            }
        }

        Assert.Equal(Enumerable.Range(1, 5000).Select(i => (ulong)i), seen.Select(m => m.Sequence));
        Assert.Equal(PullConsumerEndReason.ConnectionLost, ends[0].Reason);
    }

    [NatsFact]
    public async Task Deleting_the_stream_ends_the_consumer()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var created = (await connection.MakeStream()).Created;
        await connection.Publish(1, 3);
        await using var consumer = await connection.Begin(1, Quick);
        await Read(consumer, 3);

        await connection.Context.DeleteStreamAsync("S");
        var end = await ReadToEnd(consumer);
        Assert.Equal(PullConsumerEndReason.Deleted, end.Reason);

        var error = await Assert.ThrowsAsync<FrameLogException>(async () => await connection.Begin(4));
        Assert.Contains("stream not found", error.Message, StringComparison.Ordinal);
        await connection.MakeStream();
        Assert.NotEqual(created, (await connection.StreamInfo()).Created);
        await connection.Publish(Bytes("new"));
        await using var again = await connection.Begin(1, Quick);
        Assert.Equal("new", (await Read(again, 1))[0].Text());
    }

    [NatsFact]
    public async Task A_purge_ahead_of_a_running_consumer_ends_it_with_the_jump()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(1, 100);
        var (options, full) = Filling(10);
        await using var consumer = await connection.Begin(1, options);
        await full.WaitAsync(Limit());

        await connection.Purge(51);
        var seen = new List<StoredMessage>();
        var end = await ReadToEnd(consumer, seen);

        Assert.Equal(
            (PullConsumerEndReason.Jump, 11ul, 51ul), (end.Reason, end.ExpectedSequence, end.GotSequence));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (ulong)i), seen.Select(m => m.Sequence));
        await using var again = await connection.Begin(end.ExpectedSequence, Quick);
        Assert.Equal(51ul, (await Read(again, 1))[0].Sequence);
    }

    [NatsFact]
    public async Task A_wiped_store_ends_the_consumer_and_the_stream_is_gone()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var created = (await connection.MakeStream()).Created;
        await connection.Publish(1, 100);
        await using var consumer = await connection.Begin(1, Quick);
        await Read(consumer, 100);

        await server.Wipe();
        Assert.Equal(PullConsumerEndReason.ConnectionLost, (await ReadToEnd(consumer)).Reason);
        await connection.WaitUntilConnectedAsync(Limit());
        Assert.Null(await connection.FindStreamAsync("S", default));

        Assert.NotEqual(created, (await connection.MakeStream()).Created);
        Assert.False((await connection.Publish(Bytes("1"), "m1")).Duplicate);
    }

    [NatsFact]
    public async Task A_store_put_back_to_an_older_copy_keeps_its_creation_time_and_shows_as_a_jump()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var created = (await connection.MakeStream()).Created;
        await connection.Publish(1, 10);
        await server.Stop();
        await using var copy = new TemporaryFolder();
        Copy(server.StoreDirectory, copy.At("store"));
        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());
        await connection.Publish(11, 20);

        await server.Kill();
        Directory.Delete(server.StoreDirectory, recursive: true);
        Copy(copy.At("store"), server.StoreDirectory);
        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());

        var info = (await connection.StreamInfo());
        Assert.Equal((created, 10ul), (info.Created, info.State.LastSeq));
        await using var consumer = await connection.Begin(21, Quick);
        Assert.Equal(11ul, (await connection.Publish(Bytes("other"), "m11")).Seq);
        var end = await ReadToEnd(consumer);
        Assert.Equal((PullConsumerEndReason.Jump, 21ul, 11ul), (end.Reason, end.ExpectedSequence, end.GotSequence));
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    [NatsFact]
    public async Task A_consumer_that_vanished_at_the_server_ends_by_missed_heartbeats()
    {
        var clock = new SimulatedClock();
        await using var server = await NatsServer.Start();
        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { TimeProvider = clock });
        await connection.MakeStream();
        await connection.Publish(1, 20);
        var (options, full) = Filling(10);
        options = options with { HeartbeatsMissedMax = 2 };
        await using var consumer = await connection.Begin(1, options);
        await full.WaitAsync(Limit());
        await connection.Context.DeleteConsumerAsync("S", consumer.Name);

        // Its credit was used up, so no pull stood there to be told of the deletion.
        Assert.Equal(10, (await Read(consumer, 10)).Count);
        clock.Advance(options.IdleHeartbeat * 2);
        Assert.Null(consumer.End);
        clock.Advance(options.IdleHeartbeat);

        Assert.Equal(PullConsumerEndReason.HeartbeatsMissed, consumer.End?.Reason);
        Assert.False(await consumer.WaitToReadAsync(Limit()));
    }

    [NatsFact]
    public async Task Disposing_removes_the_consumer_from_the_server()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        var consumer = await connection.Begin(1);
        Assert.Equal(1, (await connection.StreamInfo()).State.ConsumerCount);

        await consumer.DisposeAsync();

        Assert.Equal(PullConsumerEndReason.Closed, consumer.End!.Reason);
        Assert.False(await consumer.WaitToReadAsync(Limit()));
        Assert.Equal(0, (await connection.StreamInfo()).State.ConsumerCount);
    }
}

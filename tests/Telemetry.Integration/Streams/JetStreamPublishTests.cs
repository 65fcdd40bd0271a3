using NATS.Client.JetStream.Models;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Streams.NatsClients;

namespace Telemetry.Integration.Streams;

public sealed class JetStreamPublishTests
{
    [NatsFact]
    public async Task A_repeated_message_id_is_answered_as_a_duplicate_with_the_first_sequence()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();

        foreach (var (id, sequence, duplicate) in new[] { ("x", 1ul, false), ("y", 2ul, false), ("x", 1ul, true) })
        {
            var ack = await connection.Publish(Bytes(id), id);
            Assert.Equal(("S", sequence, duplicate), (ack.Stream, ack.Seq, ack.Duplicate));
        }

        Assert.Equal(2, (await connection.StreamInfo()).State.Messages);
    }

    /// <summary>Why a deliberate resend carries a new attempt in its id: a duplicate answer proves nothing.</summary>
    [NatsFact]
    public async Task A_message_id_whose_message_was_purged_is_still_swallowed_and_a_new_id_is_stored()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        await connection.Publish(Bytes("frame"), "frame-7/attempt-1");
        await connection.Context.PurgeStreamAsync("S", new StreamPurgeRequest());

        var swallowed = await connection.Publish(Bytes("frame"), "frame-7/attempt-1");
        Assert.True(swallowed.Duplicate);
        Assert.Equal(0, (await connection.StreamInfo()).State.Messages);
        Assert.Null(await StoredMessageQuery.ReadAsync(connection, "S", swallowed.Seq, default));

        var stored = await connection.Publish(Bytes("frame"), "frame-7/attempt-2");
        Assert.False(stored.Duplicate);
        Assert.NotNull(await StoredMessageQuery.ReadAsync(connection, "S", stored.Seq, default));
    }

    [NatsFact]
    public async Task A_full_stream_refuses_the_new_message_and_keeps_the_old_ones()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream(Config() with { MaxBytes = 10_000 });
        var stored = 0L;
        PubAckResponse ack;
        while ((ack = await connection.Publish(new byte[1000], $"{stored}")).Error is null)
        {
            stored++;
        }

        Assert.Equal(JetStreamErrors.StoreFailed, ack.Error.ErrCode);
        Assert.Contains("maximum bytes", ack.Error.Description, StringComparison.Ordinal);
        var state = (await connection.StreamInfo()).State;
        Assert.Equal((1ul, stored), (state.FirstSeq, state.Messages));

        await connection.Purge(keepFrom: 3);
        Assert.Null((await connection.Publish(new byte[1000], $"{stored}")).Error);
    }

    [NatsFact]
    public async Task Pipelined_publishes_keep_their_order_up_to_the_window_and_all_are_stored_beyond_it()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { AppendsInFlightMax = 50 });
        await connection.MakeStream();

        var publishes = Enumerable.Range(1, 5000).Select(i => connection.Publish(Bytes($"{i}"), $"{i}")).ToArray();
        var acks = await Task.WhenAll(publishes).WaitAsync(Limit());

        Assert.Equal(Enumerable.Range(1, 50).Select(i => (ulong)i), acks.Take(50).Select(ack => ack.Seq));
        Assert.Equal(Enumerable.Range(1, 5000).Select(i => (ulong)i), acks.Select(ack => ack.Seq).Order());
    }

    [NatsFact]
    public async Task Every_message_is_stored_once_when_the_server_is_killed_while_publishing()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { AppendsInFlightMax = 200 });
        await connection.MakeStream();
        const int Count = 20_000;
        var acknowledged = 0;
        var failures = 0;
        var marks = Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource()).ToArray();

        async Task Publish(int i)
        {
            while (true)
            {
                try
                {
                    await connection.Publish(Bytes($"{i}"), $"m{i}");
                    var (part, rest) = Math.DivRem(Interlocked.Increment(ref acknowledged), Count / 4);
                    if (rest == 0 && part <= marks.Length)
                    {
                        marks[part - 1].SetResult();
                    }

                    return;
                }
                catch (FrameLogException)
                {
                    Interlocked.Increment(ref failures);
                    await connection.WaitUntilConnectedAsync(Limit(60));
                    await Task.Delay(20);
                }
            }
        }

        var publishing = Task.WhenAll(Enumerable.Range(0, Count).Select(Publish));
        foreach (var mark in marks)
        {
            await mark.Task.WaitAsync(Limit());
            await server.Restart();
        }

        await publishing.WaitAsync(Limit(60));

        Assert.Equal(3, connection.Counters.Reconnects);
        Assert.True(failures >= 3, "The kills struck no publish");
        var stored = (await connection.StreamInfo()).State.Messages;
        await using var consumer = await connection.Begin(1);
        var seen = (await Read(consumer, (int)stored)).Select(m => m.Text()).ToArray();
        Assert.Equal(Count, seen.Length);
        Assert.Equal(Count, seen.Distinct().Count());
    }
}

using Telemetry.Nats;
using Telemetry.Testing.Servers;
using static Telemetry.Integration.Nats.NatsClients;

namespace Telemetry.Integration.Nats;

public sealed class JetStreamPublishTests
{
    [NatsFact]
    public async Task A_repeated_message_id_is_answered_as_a_duplicate_with_the_first_sequence()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream());

        Assert.Equal(new("S", 1, false), await jetStream.PublishAsync("S.a", Bytes("1"), "x"));
        Assert.Equal(new("S", 2, false), await jetStream.PublishAsync("S.a", Bytes("2"), "y"));
        Assert.Equal(new("S", 1, true), await jetStream.PublishAsync("S.a", Bytes("1"), "x"));
        Assert.Equal(2ul, (await jetStream.FindStreamAsync("S"))!.Messages);
    }

    /// <summary>Why a deliberate resend carries a new attempt in its id: a duplicate answer proves nothing.</summary>
    [NatsFact]
    public async Task A_message_id_whose_message_was_purged_is_still_swallowed_and_a_new_id_is_stored()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream());
        await jetStream.PublishAsync("S.a", Bytes("frame"), "frame-7/attempt-1");
        await jetStream.PurgeStreamAsync("S");

        var swallowed = await jetStream.PublishAsync("S.a", Bytes("frame"), "frame-7/attempt-1");
        Assert.True(swallowed.IsDuplicate);
        Assert.Equal(0ul, (await jetStream.FindStreamAsync("S"))!.Messages);
        Assert.Null(await jetStream.GetMessageAsync("S", swallowed.Sequence));

        var stored = await jetStream.PublishAsync("S.a", Bytes("frame"), "frame-7/attempt-2");
        Assert.False(stored.IsDuplicate);
        Assert.NotNull(await jetStream.GetMessageAsync("S", stored.Sequence));
    }

    [NatsFact]
    public async Task A_full_stream_refuses_the_new_message_and_keeps_the_old_ones()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream() with { MaxBytes = 10_000 });
        var stored = 0ul;

        var error = await Assert.ThrowsAsync<JetStreamException>(async () =>
        {
            for (; stored < 100; stored++)
            {
                await jetStream.PublishAsync("S.a", new byte[1000], $"{stored}");
            }
        });

        Assert.Equal((JetStreamErrorCodes.StoreFailed, true), (error.ErrorCode, error.IsTransient));
        Assert.Contains("maximum bytes", error.Description, StringComparison.Ordinal);
        var info = (await jetStream.FindStreamAsync("S"))!;
        Assert.Equal((1ul, stored), (info.FirstSequence, info.Messages));

        await jetStream.PurgeStreamAsync("S", 3);
        Assert.False((await jetStream.PublishAsync("S.a", new byte[1000], $"{stored}")).IsDuplicate);
    }

    [NatsFact]
    public async Task Pipelined_publishes_keep_their_order_beyond_the_window()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await NatsConnection.ConnectAsync(
            Options(server) with { WriteBufferBytes = 4096 });
        var jetStream = new JetStreamContext(connection, new() { PublishesInFlightMax = 50 });
        await jetStream.CreateStreamAsync(Stream());

        var publishes = Enumerable.Range(1, 5000)
            .Select(i => jetStream.PublishAsync("S.a", Bytes($"{i}"), $"{i}").AsTask()).ToArray();
        var acks = await Task.WhenAll(publishes).WaitAsync(Limit());

        Assert.Equal(Enumerable.Range(1, 5000).Select(i => (ulong)i), acks.Select(ack => ack.Sequence));
        Assert.Equal(0, jetStream.PublishesInFlight);
    }

    [NatsFact]
    public async Task Every_message_is_stored_once_when_the_server_is_killed_while_publishing()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection, new() { PublishesInFlightMax = 200 });
        await jetStream.CreateStreamAsync(Stream());
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
                    await jetStream.PublishAsync("S.a", Bytes($"{i}"), $"m{i}");
                    var (part, rest) = Math.DivRem(Interlocked.Increment(ref acknowledged), Count / 4);
                    if (rest == 0 && part <= marks.Length)
                    {
                        marks[part - 1].SetResult();
                    }

                    return;
                }
                catch (NatsException e) when (e.IsTransient)
                {
                    Interlocked.Increment(ref failures);
                    await connection.WaitUntilConnectedAsync();
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

        Assert.Equal(4, connection.ConnectionGeneration);
        Assert.True(failures >= 3, "The kills struck no publish");
        var info = (await jetStream.FindStreamAsync("S"))!;
        await using var consumer = await PullConsumer.BeginAsync(jetStream, "S", 1);
        var seen = (await Read(consumer, (int)info.Messages)).Select(m => m.Text()).ToArray();
        Assert.Equal(Count, seen.Length);
        Assert.Equal(Count, seen.Distinct().Count());
    }
}

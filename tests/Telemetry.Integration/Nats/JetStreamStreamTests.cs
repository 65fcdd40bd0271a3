using Telemetry.Nats;
using Telemetry.Testing.Servers;
using static Telemetry.Integration.Nats.NatsClients;

namespace Telemetry.Integration.Nats;

public sealed class JetStreamStreamTests
{
    [NatsFact]
    public async Task A_stream_is_as_it_was_asked_for()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        var wanted = new StreamConfiguration
        {
            Name = "LIVE_0",
            Subjects = ["tm.live.0.>", "tm.other.0"],
            Description = "what for",
            MaxBytes = 1_000_000,
            MaxAge = TimeSpan.FromDays(7),
            DuplicateWindow = TimeSpan.FromSeconds(90),
            AllowDirect = true,
        };

        var created = await jetStream.CreateStreamAsync(wanted);
        var found = await jetStream.FindStreamAsync("LIVE_0");

        Assert.Equivalent(wanted, created.Configuration, strict: true);
        Assert.Equivalent(created, found, strict: true);
        Assert.InRange(created.Created, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.Equal((0ul, 0ul, null), (created.Messages, created.LastSequence, created.FirstTime));
    }

    [NatsFact]
    public async Task Creating_with_another_configuration_is_an_error_and_create_or_update_changes_it()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream());
        await jetStream.CreateStreamAsync(Stream());

        var larger = Stream() with { MaxBytes = 5000 };
        var error = await Assert.ThrowsAsync<JetStreamException>(async () => await jetStream.CreateStreamAsync(larger));
        Assert.Equal(JetStreamErrorCodes.StreamNameInUse, error.ErrorCode);
        Assert.False(error.IsTransient);
        Assert.Equal(5000, (await jetStream.CreateOrUpdateStreamAsync(larger)).Configuration.MaxBytes);
    }

    [NatsFact]
    public async Task A_missing_stream_is_a_value()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);

        Assert.Null(await jetStream.FindStreamAsync("NONE"));
        Assert.False(await jetStream.DeleteStreamAsync("NONE"));
        await Assert.ThrowsAsync<NatsNoRespondersException>(
            async () => await jetStream.PublishAsync("NONE.a", Bytes("x")));
    }

    [NatsFact]
    public async Task A_message_is_read_back_by_its_sequence_and_a_missing_one_is_a_value()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream());
        var ack = await jetStream.PublishAsync("S.a", Bytes("data"), "id-1", new NatsHeaders().Add("K", "V"));

        var message = (await jetStream.GetMessageAsync("S", ack.Sequence))!;
        await using var consumer = await PullConsumer.BeginAsync(jetStream, "S", 1);
        var delivered = Assert.Single(await Read(consumer, 1));

        Assert.Equal("S.a", message.Subject);
        Assert.Equal(Bytes("data"), message.Data.ToArray());
        Assert.Equal("id-1", message.Headers.Find("Nats-Msg-Id"));
        Assert.Equal("V", message.Headers.Find("K"));
        Assert.Equal(delivered.StoredAtNanoseconds, message.StoredAtNanoseconds);
        Assert.Null(await jetStream.GetMessageAsync("S", 2));
        Assert.Null(await jetStream.GetMessageAsync("S", 0));
    }

    [NatsFact]
    public async Task A_purge_keeps_the_sequence_it_was_given_and_all_behind_it()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        await jetStream.CreateStreamAsync(Stream());
        for (var i = 1; i <= 10; i++)
        {
            await jetStream.PublishAsync("S.a", Bytes($"{i}"));
        }

        Assert.Equal(0ul, await jetStream.PurgeStreamAsync("S", 0));
        Assert.Equal(6ul, await jetStream.PurgeStreamAsync("S", 7));
        var info = (await jetStream.FindStreamAsync("S"))!;
        Assert.Equal((7ul, 10ul, 4ul), (info.FirstSequence, info.LastSequence, info.Messages));
        Assert.Null(await jetStream.GetMessageAsync("S", 6));
        Assert.NotNull(await jetStream.GetMessageAsync("S", 7));

        Assert.Equal(4ul, await jetStream.PurgeStreamAsync("S"));
        info = (await jetStream.FindStreamAsync("S"))!;
        Assert.Equal((11ul, 10ul, 0ul), (info.FirstSequence, info.LastSequence, info.Messages));
        Assert.Null(info.FirstTime);
    }

    [NatsFact]
    public async Task A_stream_made_anew_differs_in_its_creation_time_and_a_restarted_one_does_not()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var jetStream = new JetStreamContext(connection);
        var first = await jetStream.CreateStreamAsync(Stream());
        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());
        Assert.Equal(first.Created, (await jetStream.FindStreamAsync("S"))!.Created);

        Assert.True(await jetStream.DeleteStreamAsync("S"));
        var second = await jetStream.CreateStreamAsync(Stream());
        Assert.True(second.Created > first.Created);
    }
}

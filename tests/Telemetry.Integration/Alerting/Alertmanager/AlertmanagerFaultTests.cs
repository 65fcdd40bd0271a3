using System.Text;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Integration.Storage;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting.Alertmanager;

/// <summary>An Alertmanager that does not do as it should.</summary>
public sealed class AlertmanagerFaultTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly AlertmanagerOptions Quick = new()
    {
        PollEvery = TimeSpan.FromMilliseconds(50),
        ResendEvery = TimeSpan.FromMilliseconds(400),
        RetryAfter = TimeSpan.FromMilliseconds(20),
        Timeout = TimeSpan.FromMilliseconds(300),
        BatchMax = 2,
    };

    [PostgresTheory]
    [InlineData(500, "500")]
    [InlineData(429, "429")]
    [InlineData(302, "302")]
    [InlineData(0, "no answer within 0.3 s")]
    public async Task Failure_is_told_and_all_is_sent_when_it_is_over(int status, string problem)
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var receiver = await HttpReceiver.StartAsync();
        receiver.Answer = _ => status;
        await stand.Fire(1, 5);
        stand.Run(receiver.Address, Quick);
        await AlertmanagerStand.Until(() => Task.FromResult(stand.Counters.Failed > 2), "it fails");

        Assert.Contains(problem, stand.Sender!.Problem, StringComparison.Ordinal);
        receiver.Answer = _ => 200;
        await AlertmanagerStand.Until(() => Task.FromResult(stand.Sender.Problem is null), "it works again");
        Assert.Equal(5, stand.Counters.Open);
        Assert.Equal(2, stand.Log.Lines);
    }

    [PostgresFact]
    public async Task Page_that_is_refused_does_not_keep_the_others_back()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var receiver = await HttpReceiver.StartAsync();
        receiver.Answer = r =>
            Encoding.UTF8.GetString(r.Body).Contains("pump-1\"", StringComparison.Ordinal) ? 400 : 200;
        await stand.Fire(1, 5);
        stand.Run(receiver.Address, Quick);
        await AlertmanagerStand.Until(() => Task.FromResult(stand.Counters.Failed > 1), "it fails");

        Assert.True(stand.Counters.Alerts >= 3);
        Assert.Contains("400 said by the receiver", stand.Sender!.Problem, StringComparison.Ordinal);
        Assert.All(receiver.Requests, r => Assert.Equal("/api/v2/alerts", r.Path));
    }

    [PostgresFact]
    public async Task Change_is_sent_without_what_did_not_change()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var receiver = await HttpReceiver.StartAsync();
        await stand.Fire(1, 5);
        await stand.Database.Execute("UPDATE telemetry.alert SET changed_at = now() - interval '1 hour'");
        stand.Run(receiver.Address, Quick with { ResendEvery = TimeSpan.FromHours(1), User = "me", Password = "é" });
        await AlertmanagerStand.Until(() => Task.FromResult(stand.Counters.Alerts == 5), "all are sent");

        await stand.Fire(6, 6);
        await AlertmanagerStand.Until(() => Task.FromResult(stand.Counters.Alerts > 5), "the change is sent");

        Assert.Equal(6, stand.Counters.Alerts);
        Assert.Equal("Basic bWU6w6k=", receiver.Requests[^1].Headers["Authorization"]);
    }
}

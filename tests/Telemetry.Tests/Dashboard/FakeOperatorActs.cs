using System.Text;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;

namespace Telemetry.Tests.Dashboard;

/// <summary>Notes what people do, and answers as the test wants.</summary>
internal sealed class FakeOperatorActs : IOperatorActs
{
    public ActOutcome Outcome { get; set; } = ActOutcome.Done;

    /// <summary>What was done.</summary>
    public List<string> Done { get; } = [];

    public Task<ActOutcome> AcknowledgeAsync(
        Actor actor, byte[] alert, int revision, string comment, CancellationToken cancellationToken) =>
        Act($"{actor.Name} acknowledges {Convert.ToHexStringLower(alert)} {revision}: {comment}");

    public Task<long> SilenceAsync(Actor actor, Silence silence, CancellationToken cancellationToken)
    {
        Done.Add($"{actor.Name} silences {Encoding.UTF8.GetString(silence.Matcher)}: {silence.Reason}");
        return Task.FromResult(7L);
    }

    public Task<ActOutcome> EndSilenceAsync(Actor actor, long silence, CancellationToken cancellationToken) =>
        Act($"{actor.Name} ends {silence}");

    public Task<byte[]> SilencesAsync(SiteLimit limit, CancellationToken cancellationToken) =>
        Task.FromResult("[]"u8.ToArray());

    public Task<ActOutcome> RetryAsync(Actor actor, long letter, CancellationToken cancellationToken) =>
        Act($"{actor.Name} retries {letter}");

    private Task<ActOutcome> Act(string what)
    {
        Done.Add(what);
        return Task.FromResult(Outcome);
    }
}

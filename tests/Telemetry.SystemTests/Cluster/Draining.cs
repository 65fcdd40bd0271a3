namespace Telemetry.SystemTests.Cluster;

/// <summary>Waits until nothing is on the way any more.</summary>
public static class Draining
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Ends when every gateway's inputs have ended, its outbox is empty, and the database has settled exactly what it
    /// accepted. Throws <see cref="TimeoutException"/> that says who is not there yet.
    /// </summary>
    public static async Task WaitUntilDrainedAsync(
        this LocalCluster cluster, TimeSpan within, CancellationToken cancellationToken)
    {
        var until = DateTimeOffset.UtcNow + within;
        while (true)
        {
            var agents = await cluster.AgentsAsync(cancellationToken);
            var books = await cluster.BooksAsync(cancellationToken);
            var waiting = agents.Where(a => !IsDrained(a, books.GetValueOrDefault(a.Gateway))).ToList();
            if (agents.Count == cluster.Options.Gateways && waiting.Count == 0)
            {
                return;
            }

            if (DateTimeOffset.UtcNow > until)
            {
                var who = waiting.Take(5).Select(a => $"{a} {books.GetValueOrDefault(a.Gateway)}");
                throw new TimeoutException(
                    $"not drained within {within}: {agents.Count} agents alive, {waiting.Count} "
                    + $"wait:\n{string.Join('\n', who)}");
            }

            await Task.Delay(LookEvery, cancellationToken);
        }
    }

    /// <summary>
    /// Waits until something holds, as the agents say; gives what they said. Throws when it does not in time.
    /// </summary>
    public static async Task<IReadOnlyList<GatewayStatus>> WaitUntilAsync(
        this LocalCluster cluster, string what, Func<IReadOnlyList<GatewayStatus>, bool> holds, TimeSpan within,
        CancellationToken cancellationToken)
    {
        var until = DateTimeOffset.UtcNow + within;
        while (true)
        {
            var agents = await cluster.AgentsAsync(cancellationToken);
            if (holds(agents))
            {
                return agents;
            }

            if (DateTimeOffset.UtcNow > until)
            {
                throw new TimeoutException($"not within {within}: {what}\n{string.Join('\n', agents.Take(5))}");
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    private static bool IsDrained(GatewayStatus agent, BooksRow? books) =>
        agent is { InputsEnded: true, AtTheEdge: 0 }
        && (agent.Accepted == 0
            || (books is not null && books.Accepted == agent.Accepted && books.Settled == agent.Accepted));
}

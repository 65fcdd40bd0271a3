using NATS.Client.JetStream.Models;
using Telemetry.Model.Protocol;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Cluster;

/// <summary>What is done to JetStream's store.</summary>
public static class FrameLogFaults
{
    /// <summary>
    /// Removes every message of every stream; the message ids stay in the server's memory for its dedup window.
    /// </summary>
    public static async Task<long> PurgeLogAsync(this LocalCluster cluster, CancellationToken cancellationToken)
    {
        await using var connection = await JetStreamConnection.ConnectAsync(
            new NatsOptions { Servers = [cluster.Nats.Url], Name = "system-tests" },
            cancellationToken: cancellationToken);
        var purged = 0L;
        for (var partition = 0; partition < cluster.Options.Partitions; partition++)
        {
            foreach (var kind in Enum.GetValues<StreamKind>())
            {
                var answer = await connection.Context.PurgeStreamAsync(
                    StreamNames.Stream(partition, kind), new StreamPurgeRequest(), cancellationToken);
                purged += (long)answer.Purged;
            }
        }

        return purged;
    }

    /// <summary>Copies the store, server down for a moment.</summary>
    public static async Task CopyLogAsync(this LocalCluster cluster, string to)
    {
        await cluster.Nats.Stop();
        await CopyAsync(cluster.Nats.StoreDirectory, to);
        await cluster.Nats.Restart();
    }

    /// <summary>Puts a copy in the place of the store; the server was killed for it.</summary>
    public static async Task PutLogBackAsync(this LocalCluster cluster, string from)
    {
        await cluster.Nats.Kill();
        Directory.Delete(cluster.Nats.StoreDirectory, recursive: true);
        await CopyAsync(from, cluster.Nats.StoreDirectory);
    }

    private static async Task CopyAsync(string from, string to)
    {
        await using var copy = await ServerProcess.Start(
            new ServerCommand(Programs.Require("cp"), "-a", "--", from, to) { Folder = Path.GetTempPath() });
        await copy.Exited;
        if (copy.ExitCode != 0)
        {
            throw new IOException($"copying {from} to {to} failed");
        }
    }
}

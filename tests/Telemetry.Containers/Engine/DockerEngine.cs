using Docker.DotNet;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Networks;

namespace Telemetry.Containers.Engine;

/// <summary>
/// The Docker engine of this machine: whether there is one, and what Testcontainers has no method for.
/// </summary>
internal static class DockerEngine
{
    /// <summary>With "true", tests that need an engine fail where none answers.</summary>
    public const string RequiredVariable = "TELEMETRY_CONTAINERS_REQUIRED";

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);
    private static readonly Lazy<DockerClient> Lazy = new(
        () => TestcontainersSettings.OS.DockerEndpointAuthConfig.GetDockerClientBuilder().Build());

    /// <summary>Why no container can run here; null when an engine answers.</summary>
    public static string? WhyNot { get; } = Ask();

    /// <summary>Why tests are skipped; null when an engine answers, and when one is required.</summary>
    public static string? SkipReason => SkipReasonOf(WhyNot, Environment.GetEnvironmentVariable(RequiredVariable));

    private static DockerClient Client => Lazy.Value;

    /// <summary>False where none answers and the tests are skipped.</summary>
    /// <exception cref="InvalidOperationException">None answers, and one is required.</exception>
    public static bool IsThere()
    {
        if (WhyNot is not null && SkipReason is null)
        {
            throw new InvalidOperationException($"{RequiredVariable} is set. {WhyNot}");
        }

        return WhyNot is null;
    }

    /// <summary>As <see cref="SkipReason"/>, of what is said.</summary>
    internal static string? SkipReasonOf(string? whyNot, string? required) => required == "true" ? null : whyNot;

    /// <summary>SIGKILL to the container's process; what it kept in its volumes stays.</summary>
    public static Task KillAsync(this IContainer container) =>
        Client.Containers.KillContainerAsync(container.Id, new ContainerKillParameters { Signal = "KILL" });

    /// <summary>Starts a killed container again, with the same volumes, networks and published ports.</summary>
    public static Task StartAgainAsync(this IContainer container) =>
        Client.Containers.StartContainerAsync(container.Id, new ContainerStartParameters());

    /// <summary>Takes the container out of the network, under every connection that it has there.</summary>
    public static Task DisconnectAsync(this IContainer container, INetwork network) =>
        Client.Networks.DisconnectNetworkAsync(
            network.Name, new NetworkDisconnectParameters { Container = container.Id, Force = true });

    /// <summary>Puts the container into one more network, by this name.</summary>
    public static Task ConnectAsync(this IContainer container, INetwork network, string alias) =>
        Client.Networks.ConnectNetworkAsync(
            network.Name,
            new NetworkConnectParameters
            {
                Container = container.Id,
                EndpointConfig = new EndpointSettings { Aliases = [alias] },
            });

    private static string? Ask()
    {
        // Testcontainers has looked for one, at DOCKER_HOST and the usual sockets.
        if (TestcontainersSettings.OS.DockerEndpointAuthConfig is null)
        {
            return Reason("neither at DOCKER_HOST nor at the usual sockets.");
        }

        try
        {
            using var patience = new CancellationTokenSource(AnswersWithin);
            Client.System.PingAsync(patience.Token).GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e)
        {
            return Reason(e.Message);
        }

        static string Reason(string why) =>
            $"No Docker engine answers: {why} The same servers run as processes in Telemetry.Integration.";
    }
}

using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Telemetry.Containers.Engine;

/// <summary>What every container, network and image of these tests has in common.</summary>
internal static class TestResources
{
    /// <summary>By this label test.sh finds what a run has left behind.</summary>
    private const string Label = "telemetry.test-run";

    private const string Loopback = "127.0.0.1";

    private static readonly string Run =
        Environment.GetEnvironmentVariable("TELEMETRY_TEST_RUN") ?? $"by-hand-{Environment.ProcessId}";

    /// <summary>
    /// The container is labelled, its image pulled only where it is missing, its ports are the loopback's.
    /// </summary>
    public static TBuilder OfThisRun<TBuilder, TContainer, TConfiguration>(
        this ContainerBuilder<TBuilder, TContainer, TConfiguration> builder)
        where TBuilder : ContainerBuilder<TBuilder, TContainer, TConfiguration>
        where TContainer : IContainer
        where TConfiguration : IContainerConfiguration => builder
        .WithLabel(Label, Run)
        .WithLogger(NullLogger.Instance)
        .WithImagePullPolicy(PullPolicy.Missing)
        .WithCreateParameterModifier(PublishOnLoopback);

    public static NetworkBuilder OfThisRun(this NetworkBuilder builder) =>
        builder.WithLabel(Label, Run).WithLogger(NullLogger.Instance);

    public static ImageFromDockerfileBuilder OfThisRun(this ImageFromDockerfileBuilder builder) =>
        builder.WithLabel(Label, Run).WithLogger(NullLogger.Instance);

    private static void PublishOnLoopback(CreateContainerParameters container)
    {
        foreach (var binding in container.HostConfig?.PortBindings?.Values.SelectMany(bindings => bindings) ?? [])
        {
            binding.HostIP = Loopback;
        }
    }
}

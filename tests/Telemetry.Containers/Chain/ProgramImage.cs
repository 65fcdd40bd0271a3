using System.Reflection;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Images;
using Telemetry.Containers.Engine;
using Telemetry.Containers.Images;
using Telemetry.TestKit.Servers;
using Telemetry.Tests.Architecture;

namespace Telemetry.Containers.Chain;

/// <summary>
/// The image of one of our programs: by its Dockerfile of deploy/containers, with the program that this build has made,
/// as to restore and compile it once more in a container takes a minute.
/// </summary>
internal static class ProgramImage
{
    private static readonly SemaphoreSlim OneAtATime = new(1);

    private static readonly string Configuration =
        typeof(ProgramImage).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>The agent's image, to be deleted by whoever has it.</summary>
    public static Task<IFutureDockerImage> OfAgentAsync() => BuildAsync("agent", "edge/Telemetry.Agent");

    /// <summary>The cloud's image, to be deleted by whoever has it.</summary>
    public static Task<IFutureDockerImage> OfCloudAsync() => BuildAsync("cloud", "cloud/Telemetry.Cloud");

    private static async Task<IFutureDockerImage> BuildAsync(string name, string project)
    {
        await using var context = new TemporaryFolder();
        CopyFolder(Path.Combine(SourceTree.Root, "deploy"), context.At("deploy"));
        await PublishAsync(project, context.At("published"));
        var image = new ImageFromDockerfileBuilder()
            .WithName($"telemetry-{name}:test-{Guid.NewGuid():N}")
            .WithDockerfileDirectory(context.FullPath)
            .WithDockerfile($"deploy/containers/{name}.Dockerfile")
            .WithTarget("published")
            // Only the stage that compiles stands on it, and that is not built; but all that are named are pulled.
            .WithBuildArgument("SDK", ImageNames.AspNet)
            .OfThisRun()
            .Build();
        await image.CreateAsync();
        return image;
    }

    // Two at once would write to the folders of the projects that both refer to.
    private static async Task PublishAsync(string project, string to)
    {
        await OneAtATime.WaitAsync();
        try
        {
            await Spawner.Run(new ServerCommand(
                Programs.Require("dotnet"), "publish", project, "--configuration", Configuration, "--no-build",
                "--output", to, "-nodeReuse:false")
            {
                Folder = SourceTree.Root,
            });
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}

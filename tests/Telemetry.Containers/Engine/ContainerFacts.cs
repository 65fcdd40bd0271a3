namespace Telemetry.Containers.Engine;

/// <summary>
/// A test that needs a Docker engine: skipped with the reason where none answers, also with CI=true, as the other
/// suites run the same servers as processes. Where one is required it fails instead (<see
/// cref="DockerEngine.RequiredVariable"/>).
/// </summary>
public sealed class ContainerFactAttribute : FactAttribute
{
    public ContainerFactAttribute() => Skip = DockerEngine.SkipReason;
}

/// <summary>As <see cref="ContainerFactAttribute"/>, for theories.</summary>
public sealed class ContainerTheoryAttribute : SkippableTheoryAttribute
{
    public ContainerTheoryAttribute() => Skip = DockerEngine.SkipReason;
}

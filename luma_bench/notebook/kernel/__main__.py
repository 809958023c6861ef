"""Start the KadeQL kernel: `python -m luma_bench.notebook.kernel -f CONNECTION_FILE`."""

from ipykernel.kernelapp import IPKernelApp

from luma_bench.notebook.kernel.kernel import KadeQLKernel

if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=KadeQLKernel)

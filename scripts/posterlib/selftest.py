def run(root, minibpf): return 0
